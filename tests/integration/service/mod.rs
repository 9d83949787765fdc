//! The use cases: what they do, what they refuse and how, who sees what, and what happens when many come at once.
