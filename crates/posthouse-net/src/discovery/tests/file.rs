//! A file that is changed, broken and removed while a service is followed.

use std::fs;

use super::follower::Follower;
use crate::discovery::settings::Kind;

#[tokio::test]
async fn a_file_is_followed_and_a_broken_one_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("instances.toml");
    let follower = Follower::new(Kind::File { path: path.clone() }, "orders", 600_000);
    follower.await_told("lost []").await;
    fs::write(&path, "orders = [\"a:1\"]").unwrap();
    follower.await_told("fresh [a:1]").await;
    fs::write(&path, "orders = [\"a:2\"]").unwrap();
    follower.await_told("fresh [a:2]").await;
    fs::write(&path, "orders = [\"a:3\"").unwrap();
    follower.await_told("kept [a:2]").await;
    assert!(follower.problem().contains("it is not TOML"), "{}", follower.problem());
    fs::write(&path, "{\"orders\":[\"a:4\"]}").unwrap();
    follower.await_told("fresh [a:4]").await;
    fs::remove_file(&path).unwrap();
    follower.await_told("kept [a:4]").await;
    fs::write(&path, "others = [\"a:5\"]").unwrap();
    follower.await_told("kept [a:4]").await;
    fs::write(&path, "orders = [{ host = \"a\", port = 6, enabled = false }]").unwrap();
    follower.await_told("unhealthy [a:6 disabled]").await;
}
