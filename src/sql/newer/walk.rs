//! Every node of a parse tree, whatever its kind and wherever it stands: the tree's types can be serialised, and this is a
//! serialiser that writes nothing. Unlike the lowering it reaches what has no name in this crate: options, PREPARE, cursors.
//!
//! Invariants: each node is seen once, after all below it; a node costs nothing but the calls unless it is watched. The tree is
//! at most as deep as the parser lets it be, which a stack of [`crate::sql::ffi::ROOM`] holds.

use serde::de::value::Error as Never;
use serde::ser::{Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};

/// Kinds that only wrap a value: what they hold belongs to the node around them.
const TRANSPARENT: &[&str] = &["Node", "List", "String", "Integer", "Float", "Boolean", "BitString", "AConst"];

/// A node, as far as it is watched.
#[derive(Debug)]
pub struct Seen {
    /// The parser's name of it.
    pub kind: &'static str,
    /// The field of it that is being read, for what stands below.
    pub key: &'static str,
    /// Something that a node below found out about it.
    pub marked: bool,
    fields: Vec<(&'static str, Field)>,
    is_watched: bool,
    own: Option<usize>,
    below: Option<usize>,
}

#[derive(Debug)]
enum Field {
    None,
    Flag(bool),
    Number(i32),
    Text(String),
    Length(usize),
    Node(&'static str),
}

impl Seen {
    fn get(&self, key: &str) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |(name, _)| *name == key).map(|(_, field)| field)
    }
    pub fn flag(&self, key: &str) -> bool {
        self.get(key).any(|field| matches!(field, Field::Flag(true)))
    }
    /// The value of a number or of an enumeration; 0 where there is none.
    pub fn number(&self, key: &str) -> i32 {
        self.get(key).find_map(|field| if let Field::Number(number) = field { Some(*number) } else { None }).unwrap_or(0)
    }
    /// The strings and string constants in the field, in order; a list in a list counts as its items.
    pub fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.get(key).filter_map(|field| if let Field::Text(text) = field { Some(text.as_str()) } else { None })
    }
    /// The first of them, which may be empty: the tree knows no other absence of a string.
    pub fn text(&self, key: &str) -> &str {
        self.texts(key).next().unwrap_or_default()
    }
    /// How many items the list has.
    pub fn length(&self, key: &str) -> usize {
        self.get(key).find_map(|field| if let Field::Length(length) = field { Some(*length) } else { None }).unwrap_or(0)
    }
    /// Whether the field holds a node at all.
    pub fn is_absent(&self, key: &str) -> bool {
        self.get(key).any(|field| matches!(field, Field::None))
    }
    /// Whether the field holds a node of this kind.
    pub fn holds(&self, key: &str, kind: &str) -> bool {
        self.get(key).any(|field| matches!(field, Field::Node(held) if *held == kind))
    }
    /// The byte of the text where the node says it stands, else the first of what is below it.
    pub fn place(&self) -> Option<usize> {
        self.own.or(self.below)
    }
}

/// Calls `seen` with each watched node and the nodes above it, outermost first.
pub fn walk<T: Serialize>(node: &T, is_watched: fn(&str) -> bool, seen: &mut dyn FnMut(&Seen, &mut [Seen])) {
    let mut walker = Walker { above: Vec::new(), is_watched, seen, is_constant_place: false };
    // It never fails: nothing here makes an error.
    let _ = node.serialize(&mut walker);
}

struct Walker<'a> {
    above: Vec<Seen>,
    is_watched: fn(&str) -> bool,
    seen: &'a mut dyn FnMut(&Seen, &mut [Seen]),
    /// The number that comes is where a constant stands, which is no node of its own here.
    is_constant_place: bool,
}

impl Walker<'_> {
    fn field(&mut self, make: impl FnOnce() -> Field) {
        if let Some(node) = self.above.last_mut().filter(|node| node.is_watched) {
            node.fields.push((node.key, make()));
        }
    }

    fn below(&mut self, place: Option<usize>) {
        if let (Some(node), Some(place)) = (self.above.last_mut(), place) {
            node.below = Some(node.below.map_or(place, |known| known.min(place)));
        }
    }

    fn end(&mut self) {
        let Some(node) = self.above.pop() else { return };
        self.below(node.place());
        if node.is_watched {
            (self.seen)(&node, &mut self.above);
        }
    }
}

/// The fields of one node.
struct Fields<'w, 'a> {
    walker: &'w mut Walker<'a>,
    is_transparent: bool,
}

impl SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Never> {
        if self.is_transparent {
            self.walker.is_constant_place = key == "location";
            let result = value.serialize(&mut *self.walker);
            self.walker.is_constant_place = false;
            return result;
        }
        if let Some(node) = self.walker.above.last_mut() {
            node.key = key;
        }
        value.serialize(&mut *self.walker)
    }

    fn end(self) -> Result<(), Never> {
        if !self.is_transparent {
            self.walker.end();
        }
        Ok(())
    }
}

impl SerializeSeq for &mut Walker<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

impl<'w, 'a> Serializer for &'w mut Walker<'a> {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Self;
    type SerializeStruct = Fields<'w, 'a>;
    type SerializeTuple = Impossible<(), Never>;
    type SerializeTupleStruct = Impossible<(), Never>;
    type SerializeTupleVariant = Impossible<(), Never>;
    type SerializeMap = Impossible<(), Never>;
    type SerializeStructVariant = Impossible<(), Never>;

    fn serialize_bool(self, value: bool) -> Result<(), Never> {
        self.field(|| Field::Flag(value));
        Ok(())
    }
    fn serialize_i32(self, value: i32) -> Result<(), Never> {
        let place = usize::try_from(value).ok();
        if self.is_constant_place {
            self.below(place);
            return Ok(());
        }
        if let Some(node) = self.above.last_mut().filter(|node| node.key == "location") {
            node.own = place;
        }
        self.field(|| Field::Number(value));
        Ok(())
    }
    fn serialize_str(self, value: &str) -> Result<(), Never> {
        self.field(|| Field::Text(value.to_owned()));
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Never> {
        self.field(|| Field::None);
        Ok(())
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Never> {
        // A list in a list adds its items and not its length.
        self.field(|| Field::Length(length.unwrap_or(0)));
        Ok(self)
    }
    fn serialize_struct(self, kind: &'static str, _: usize) -> Result<Fields<'w, 'a>, Never> {
        let is_transparent = TRANSPARENT.contains(&kind);
        if !is_transparent {
            self.field(|| Field::Node(kind));
            let is_watched = (self.is_watched)(kind);
            self.above.push(Seen { kind, key: "", marked: false, fields: Vec::new(), is_watched, own: None, below: None });
        }
        Ok(Fields { walker: self, is_transparent })
    }

    // The tree has none of the following, or nobody asks for them.
    fn serialize_i8(self, _: i8) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_i16(self, _: i16) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_i64(self, _: i64) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_u8(self, _: u8) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_u16(self, _: u16) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_u32(self, _: u32) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_u64(self, _: u64) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_f32(self, _: f32) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_f64(self, _: f64) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_char(self, _: char) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_unit(self) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Never> {
        Ok(())
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Never> {
        Err(no_tree())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Never> {
        Err(no_tree())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        Err(no_tree())
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Never> {
        Err(no_tree())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Never> {
        Err(no_tree())
    }
}

/// Protobuf has neither tuples nor, in this schema, maps.
fn no_tree() -> Never {
    serde::ser::Error::custom("not a node of a parse tree")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::ffi::{self, Mode};

    fn seen(sql: &str, is_watched: fn(&str) -> bool, look: &mut dyn FnMut(&Seen, &mut [Seen])) {
        let tree = ffi::with_room(|| ffi::parse(sql, Mode::Statements)).expect("parses");
        tree.stmts.iter().for_each(|statement| walk(statement, is_watched, look));
    }

    #[test]
    fn every_node_is_reached_wherever_it_stands() {
        for sql in [
            "PREPARE p AS SELECT f(1)",
            "DECLARE c CURSOR FOR SELECT f(1)",
            "CREATE TABLE t (a int DEFAULT f(1))",
            "COPY (SELECT f(1)) TO STDOUT",
            "EXPLAIN SELECT (SELECT 1 WHERE x IN (1, f(1)))",
            "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT f(1); END",
        ] {
            let mut found = Vec::new();
            seen(sql, |kind| kind == "FuncCall", &mut |node, _| {
                found.push((node.text("funcname").to_owned(), node.length("args"), node.place()));
            });
            assert_eq!(found, [("f".to_owned(), 1, sql.find("f(1)"))], "{sql}");
        }
    }

    #[test]
    fn a_node_knows_its_fields_and_what_is_above_it() {
        let mut found = Vec::new();
        seen("ALTER TABLE s.t ADD CHECK (a > 0) NOT VALID", |kind| kind == "Constraint", &mut |node, above| {
            let above: Vec<_> = above.iter().map(|node| node.kind).collect();
            found.push((node.flag("skip_validation"), node.is_absent("where_clause"), node.holds("raw_expr", "AExpr"), above));
        });
        assert_eq!(found, [(true, true, true, vec!["RawStmt", "AlterTableStmt", "AlterTableCmd"])]);
    }
}
