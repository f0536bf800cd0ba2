//! What the previous release writes and reads still works after each unit.
//!
//! For every relation from before a unit there are statements in the shape that the previous release uses ([`shapes`]): an INSERT with
//! just the columns that had to be named, an UPDATE of each column, a DELETE, a SELECT that names each column, an INSERT … ON
//! CONFLICT for each unique key. Each has worked at the old schema, on rows that were made for it, and is run again after the unit, in a
//! transaction that is rolled back; what fails then is a finding, with the prediction of `check` that it confirms ([`cause`]). So is a
//! column that comes back with another type.
//!
//! Without release information the previous release is the schema before the unit; with it, the schema that the released units make.
//! Only relations that a unit may have changed are asked again ([`touched`]). Everything runs as the owner, so grants to other roles and
//! row security that spares the owner are not seen.
//!
//! Levels: an INSERT for which the server takes no other values either is an error, as is every failure that names no value. Where
//! other values pass, or an UPDATE of a row that was made up meets a new constraint, it is a warning; where the constraint is an old
//! one it is the rows that changed, which is no finding. In a unit tagged `-- phase contract` all are notes.

mod cause;
mod shapes;
mod touched;

use super::super::chain::Chain;
use super::super::cluster::{Cluster, Database};
use super::super::evidence::{Coverage, Found, ProofReport};
use super::super::rows::{FillOptions, Filler, Schema, Seeds};
use super::super::stage::{Progress, Proof, ProveError, Stage, while_proving};
use super::walk::{self, Turn};
use crate::finding::Level;
use crate::source::Phase;
use cause::{Cause, Refusal};
use postgres::Client;
use shapes::{OldRelation, OldStatement, Shape};
use std::collections::{BTreeMap, BTreeSet};
use touched::Digest;

type Oid = u32;

#[derive(Debug)]
pub struct OldWrites;

impl Proof for OldWrites {
    fn name(&self) -> &'static str {
        "old-writes"
    }

    fn summary(&self) -> &'static str {
        "what the previous release reads and writes still works after each migration"
    }

    fn rules(&self) -> &'static [&'static str] {
        &["breaks-old-query"]
    }

    fn prove(&self, stage: &Stage<'_>) -> Result<ProofReport, ProveError> {
        drop(stage.memory.applied.take());
        stage.cluster.reset()?;
        prove_on(stage.cluster, stage.chain, &stage.wanted.seed, stage.progress)
    }
}

/// The proof, of what it needs.
pub fn prove_on(
    cluster: &Cluster<'_>,
    chain: &Chain<'_>,
    seed: &[(String, String)],
    progress: &dyn Progress,
) -> Result<ProofReport, ProveError> {
    let mut proving = Proving {
        cluster,
        chain,
        filler: Filler::default(),
        seeds: Seeds::new(seed),
        old: BTreeMap::new(),
        unfilled: BTreeMap::new(),
        not_judged: Vec::new(),
        statements: 0,
        found: Vec::new(),
    };
    let (done, why) = proving.go(progress)?;
    let mut remarks = vec![format!(
        "{} statements of the previous release ran after a migration; as the owner: what other roles may do is not seen.",
        proving.statements
    )];
    remarks.extend(proving.not_judged);
    remarks.extend(proving.seeds.remarks());
    remarks.extend(proving.unfilled.into_iter().map(|(table, why)| format!("{table} could not be filled: {why}.")));
    let coverage = Coverage { done, of: chain.units.len(), what: "units" };
    Ok(ProofReport::of(coverage, remarks, proving.found).unless(why))
}

struct Proving<'a> {
    cluster: &'a Cluster<'a>,
    chain: &'a Chain<'a>,
    filler: Filler,
    seeds: Seeds<'a>,
    /// Of the previous release, with the statements that still work.
    old: BTreeMap<Oid, OldRelation>,
    unfilled: BTreeMap<String, String>,
    /// One sentence for each unit that does not run on rows.
    not_judged: Vec<String>,
    /// How many ran after a unit.
    statements: usize,
    found: Vec<Found>,
}

impl Proving<'_> {
    /// How many units were covered, and why not all.
    ///
    /// A second database stays empty: what fails with rows goes on in a copy of it.
    fn go(&mut self, progress: &dyn Progress) -> Result<(usize, Option<String>), ProveError> {
        let releases = &self.chain.checked.releases;
        let order = releases.order(self.chain.units.len());
        let empty = self.cluster.fresh()?;
        let mut database = self.cluster.fresh()?;
        let mut before = Digest::read(&mut database.connect()?)?;
        let mut is_built = !releases.are_known();
        let mut judged = 0;
        for at in order {
            let Some(unit) = self.chain.units.get(at) else { continue };
            progress.unit(&unit.id);
            let is_released = releases.is_released(at);
            if !is_released && !is_built {
                before = Digest::read(&mut database.connect()?)?;
                self.build(&database, &before, &before.relations().collect())?;
                is_built = true;
            }
            if let Err(stopped) = walk::apply(&empty, unit, Turn::First)? {
                let why = format!(
                    "{} does not apply on empty tables ({} {}), so that nothing is said about it and what comes after it",
                    unit.id, stopped.sqlstate, stopped.message
                );
                return Ok((judged, Some(why)));
            }
            if let Err(stopped) = walk::apply(&database, unit, Turn::Again)? {
                self.not_judged.push(format!(
                    "{} fails on rows ({} {}), so that nothing is said about it here.",
                    unit.id, stopped.sqlstate, stopped.message
                ));
                drop(database);
                database = self.cluster.copy_of(&empty)?;
                before = Digest::read(&mut database.connect()?)?;
                self.filler = Filler::default();
                self.seeds.again();
                self.old.clear();
                if is_built {
                    self.build(&database, &before, &before.relations().collect())?;
                }
                continue;
            }
            judged += 1;
            if is_released {
                continue;
            }
            let mut client = database.connect()?;
            let after = Digest::read(&mut client)?;
            let touched = after.touched_since(&before, &mut client)?;
            self.judge(at, &touched, &mut client)?;
            if !releases.are_known() && !touched.is_empty() {
                self.build(&database, &after, &touched)?;
            }
            before = after;
        }
        Ok((judged, None))
    }

    /// Makes these relations part of the previous release as they are now; those that are gone are forgotten.
    fn build(&mut self, database: &Database<'_>, now: &Digest, relations: &BTreeSet<Oid>) -> Result<(), ProveError> {
        let mut client = database.connect()?;
        self.seeds.run(&mut client).map_err(while_proving("run a seed"))?;
        let filled = self.filler.fill(&mut client, &FillOptions::default()).map_err(while_proving("fill tables"))?;
        for table in &filled.tables {
            self.unfilled.remove(table);
        }
        self.unfilled.extend(filled.unfilled.into_iter().map(|unfilled| (unfilled.table, unfilled.why)));
        let asking = while_proving("try the statements of the previous release");
        let built = self.shapes(&mut client, now, relations).map_err(asking)?;
        self.old.retain(|oid, _| !relations.contains(oid));
        self.old.extend(built);
        Ok(())
    }

    fn shapes(
        &mut self,
        client: &mut Client,
        now: &Digest,
        relations: &BTreeSet<Oid>,
    ) -> Result<BTreeMap<Oid, OldRelation>, postgres::Error> {
        client.batch_execute("BEGIN")?;
        let schema = Schema::read(client)?;
        let relations = relations.iter().copied().filter(|oid| now.has(*oid));
        let built = shapes::build(client, &schema, &mut self.filler, &relations.collect::<Vec<_>>())?;
        client.batch_execute("ROLLBACK")?;
        Ok(built)
    }

    /// Runs what the previous release runs on the relations that a unit may have changed.
    fn judge(&mut self, unit: usize, touched: &BTreeSet<Oid>, client: &mut Client) -> Result<(), ProveError> {
        let mut schema: Option<Schema> = None;
        for oid in touched {
            let Some(mut relation) = self.old.remove(oid) else { continue };
            let refusals =
                self.run(&relation, &mut schema, client).map_err(while_proving("run what the previous release runs"))?;
            let failed: BTreeSet<String> = refusals.iter().map(|refusal| refusal.sql.clone()).collect();
            self.report(unit, &relation, refusals);
            // Where the previous release stays the same, what broke is reported once.
            relation.forget(&failed);
            self.old.insert(*oid, relation);
        }
        Ok(())
    }

    fn run(
        &mut self,
        relation: &OldRelation,
        schema: &mut Option<Schema>,
        client: &mut Client,
    ) -> Result<Vec<Refusal>, postgres::Error> {
        let mut refusals = Vec::new();
        client.batch_execute("BEGIN")?;
        for statement in &relation.statements {
            self.statements += 1;
            let Some(refused) = shapes::attempt(client, &statement.sql)? else { continue };
            let whole = Refusal::new(statement, refused);
            let mut parts: Vec<Refusal> = Vec::new();
            // Of a relation that is gone no column has more to say.
            for part in statement.parts.iter().filter(|_| !whole.is_of_relation()) {
                self.statements += 1;
                if let Some(refused) = shapes::attempt(client, &part.sql)? {
                    parts.push(Refusal::new(part, refused));
                }
            }
            let is_of_all = parts.len() == statement.parts.len() && parts.iter().all(|part| part.message == whole.message);
            if parts.is_empty() || is_of_all {
                parts = vec![whole];
            }
            for mut refusal in parts {
                if self.stands(relation, statement, &mut refusal, schema, client)? {
                    refusals.push(refusal);
                }
            }
        }
        refusals.extend(relation.retyped(client)?);
        client.batch_execute("ROLLBACK")?;
        Ok(refusals)
    }

    /// False where it is the rows that changed and not what may be written. Says of the others whether other values pass.
    fn stands(
        &mut self,
        relation: &OldRelation,
        statement: &OldStatement,
        refusal: &mut Refusal,
        schema: &mut Option<Schema>,
        client: &mut Client,
    ) -> Result<bool, postgres::Error> {
        if !refusal.is_about_values() {
            return Ok(true);
        }
        // The table under a view says it of itself.
        if relation.table.is_none() && refusal.table.as_ref().is_some_and(|table| *table != relation.qualified) {
            return Ok(false);
        }
        refusal.hangs_on_values = match (&statement.shape, &relation.table) {
            // Which rows are there to refer to is a matter of rows.
            _ if refusal.sqlstate == "23503" => true,
            (Shape::Insert | Shape::Upsert(_), Some(table)) => {
                if schema.is_none() {
                    *schema = Some(Schema::read(client)?);
                }
                let now = schema.as_ref().and_then(|schema| schema.tables.values().find(|now| now.qualified == table.qualified));
                match (schema.as_ref(), now) {
                    (Some(schema), Some(now)) => self.filler.insertion(client, schema, now, &statement.columns)?.is_some(),
                    _ => false,
                }
            }
            // NULL is the only value there is of it.
            (Shape::SetNull(_), _) => refusal.sqlstate != "23502",
            _ => true,
        };
        if !refusal.hangs_on_values {
            return Ok(true);
        }
        Ok(!relation.has_same_constraint(client, refusal.constraint.as_deref())?)
    }

    /// One finding for each cause.
    fn report(&mut self, unit: usize, relation: &OldRelation, refusals: Vec<Refusal>) {
        let is_contract = self.chain.checked.history.migrations.get(unit).is_some_and(|unit| unit.phase == Phase::Contract);
        let mut causes: Vec<(Cause, Vec<Refusal>)> = Vec::new();
        for refusal in refusals {
            let cause = Cause::of(self.chain, unit, &relation.qualified, &refusal);
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, refusals)) => refusals.push(refusal),
                None => causes.push((cause, vec![refusal])),
            }
        }
        for (cause, refusals) in causes {
            let worst = refusals.iter().find(|refusal| !refusal.hangs_on_values).or_else(|| refusals.first());
            let Some(worst) = worst else { continue };
            let level = match (is_contract, worst.hangs_on_values) {
                (true, _) => Level::Note,
                (false, true) => Level::Warning,
                (false, false) => Level::Error,
            };
            let mut shapes: Vec<String> = Vec::new();
            for refusal in &refusals {
                let shape = refusal.shape.words();
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
            }
            const SHOWN: usize = 4;
            if shapes.len() > SHOWN {
                let more = shapes.split_off(SHOWN - 1).len();
                shapes.push(format!("{more} more"));
            }
            let values = match (worst.hangs_on_values, &worst.shape) {
                (false, _) => "",
                (true, Shape::Insert | Shape::Upsert(_)) => "; with other values it passes, and these were made up",
                (true, _) => "; the rows that it met were made up",
            };
            self.found.push(Found {
                rule: "breaks-old-query",
                level,
                unit: Some(unit),
                statement: cause.statement,
                message: format!(
                    "what the previous release does with {} no longer works ({}): {}{values}",
                    relation.qualified,
                    shapes.join(", "),
                    worst.words()
                ),
                help: cause.help(),
                shown_by: Some(worst.sql.clone()),
            });
        }
    }
}
