//! Points to return to. A copy of the whole catalog is cheap, so what was rolled back never happened.

use super::Catalog;

/// The catalog as it was, its journal included.
#[derive(Clone, Debug)]
pub(super) struct Savepoint {
    catalog: Catalog,
}

impl Savepoint {
    /// How much work there was by then, since it was last taken.
    pub(super) fn work_so_far(&self) -> usize {
        self.catalog.work.len()
    }
}

impl Catalog {
    pub(super) fn savepoint(&self) -> Savepoint {
        Savepoint { catalog: self.clone() }
    }

    /// Returns to a savepoint. Identities stay used up: entries of the journal that outlive the return may hold them.
    pub(super) fn return_to(&mut self, savepoint: Savepoint) {
        let next_id = self.next_id;
        *self = savepoint.catalog;
        self.next_id = next_id;
    }
}
