//! What only a real server can say. These tests fail, they are not skipped, where there is no server.

mod disposable;
