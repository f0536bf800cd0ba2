//! The example that keeps one note of a merge request up to date; its own tests are in Python, as it is.

use std::process::Command;

#[test]
fn the_bot_keeps_one_note_against_a_server_that_behaves_like_gitlab() {
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", "--verbose", "test_merge_request_bot"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/merge-request-bot"))
        .output()
        .expect("python3 is needed: scripts/setup test installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Ran 14 tests") && said.ends_with("OK\n"), "none may be left out: {said}");
}
