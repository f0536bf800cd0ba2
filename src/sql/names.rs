//! Identifiers.

/// Placeholder until the lowering room delivers its own.
pub fn quote_identifier(name: &str) -> String {
    name.to_string()
}
