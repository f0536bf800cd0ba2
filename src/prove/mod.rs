//! What a real server says.
