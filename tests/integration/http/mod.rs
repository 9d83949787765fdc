//! What happens at the server's door, over real sockets, whatever is behind it: attacks, limits, strict settings, a
//! database that is down, shutting down, HTTPS.
