//! Git LFS pointers: the text that stands in the repository for content that is kept elsewhere.

use crate::source::compare;
use std::path::{Path, PathBuf};

/// What a pointer says about the content it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// SHA-256 of the content, 64 hexadecimal digits.
    pub sha256: String,
}

/// Pointers are shorter than this (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
const LONGEST: usize = 1024;

impl Pointer {
    /// Reads a pointer; `None` for any other content.
    pub fn read(bytes: &[u8]) -> Option<Pointer> {
        if bytes.len() >= LONGEST || !bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let sha256 = text.lines().find_map(|line| line.strip_prefix("oid sha256:"))?.trim();
        compare::is_sha256(sha256).then(|| Pointer { sha256: sha256.to_string() })
    }

    /// Where Git LFS keeps the content, below the repository's common directory.
    pub fn stored_at(&self, common_dir: &Path) -> PathBuf {
        let (first, rest) = self.sha256.split_at(2);
        common_dir.join("lfs").join("objects").join(first).join(&rest[..2]).join(&self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_from_sql() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n");
        let pointer = Pointer::read(text.as_bytes()).unwrap();
        assert_eq!(pointer.sha256, oid);
        assert!(pointer.stored_at(Path::new("/r/.git")).ends_with(format!("lfs/objects/4d/7a/{oid}")));
        for other in ["SELECT 1;", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", ""] {
            assert_eq!(Pointer::read(other.as_bytes()), None, "{other}");
        }
    }
}
