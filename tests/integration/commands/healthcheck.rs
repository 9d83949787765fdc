//! `healthcheck`

use std::net::TcpListener;

use crate::support::process::Place;

fn port_of(base: &str) -> &str {
    base.rsplit(':').next().unwrap()
}

#[test]
fn a_server_that_answers_is_healthy_and_one_that_is_gone_is_not() {
    let (running, base) = Place::new().serve(&[]);
    let check = || Place::new().set("API_PORT", port_of(&base)).run(&["healthcheck"]);
    let healthy = check();
    assert_eq!((healthy.status.code(), healthy.stderr.as_str()), (Some(0), ""), "{healthy:?}");
    running.signal("TERM");
    running.finish().printed();
    let refusal = check().refusal();
    assert!(refusal.contains(port_of(&base)), "{refusal}");
}

/// A container's health check runs with the server's variables, but must not need its secrets.
#[test]
fn it_needs_no_secret() {
    let (_running, base) = Place::new().serve(&[]);
    let place = Place::new().set("APP_ENV", "production").set("API_HOST", "0.0.0.0").set("API_PORT", port_of(&base));
    place.run(&["healthcheck"]).printed();
}

#[test]
fn what_answers_otherwise_is_not_healthy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let refusal = Place::new().set("API_PORT", port).run(&["healthcheck"]).refusal();
    assert!(refusal.contains("200"), "{refusal}");
}
