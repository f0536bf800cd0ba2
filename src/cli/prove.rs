//! `phasegate prove`: the verdict, and what a disposable server says about it.

use super::exit::Exit;
use super::judging::JudgingArguments;
use super::terminal::{self, ColorChoice, Volume};
use super::verbose::{self, Watched};
use crate::check;
use crate::prove::cluster::ClusterOptions;
use crate::prove::evidence::{Evidence, Outcome};
use crate::prove::proofs::PROOFS;
use crate::prove::prover::{self, Prover, RunnerChoice};
use crate::prove::server::url::ProcessEnvironment;
use crate::prove::server::{self, ServerChoice, Target, interrupt};
use crate::prove::stage::{Progress, Proof, Screen, Wanted};
use crate::report::escape::escape;
use crate::source::nearest;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// Run migrations on a disposable PostgreSQL server, and prove that they apply, bear a second run, colliding runners and a crash, and
/// that the previous release still works
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  phasegate prove                                    a server of its own, what the layout's runner does
  phasegate prove --only apply,rerun --idempotent    some proofs; every migration bears a second run
  phasegate prove --pg-version 17                    one of several installed versions
  phasegate prove --image postgres:18                in a container
  phasegate prove --runner 'bash migrate.sh'         your own runner
  PGPASSWORD=… phasegate prove --disposable --database-url postgres://ci@db/postgres

Exit codes: 0 everything proven, nothing found; 1 findings at --fail-on or above; 2 something could not be used; \
    3 something could not be proven. 3 beats 2 beats 1, and the report is whole in each case.")]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,
    #[command(flatten, next_help_heading = "What is proven")]
    proofs: ProofArguments,
    #[command(flatten, next_help_heading = "Server")]
    server: ServerArguments,
    #[command(flatten, next_help_heading = "Runner")]
    runner: RunnerArguments,
}

#[derive(Debug, clap::Args)]
struct ProofArguments {
    /// Only these proofs, by name
    #[arg(long, value_name = "PROOF", value_delimiter = ',', value_parser = proof)]
    only: Vec<&'static dyn Proof>,
    /// All but these proofs, by name
    #[arg(long, value_name = "PROOF", value_delimiter = ',', value_parser = proof, conflicts_with = "only")]
    skip: Vec<&'static dyn Proof>,
    /// Every migration has to bear a second run of its SQL
    #[arg(long)]
    idempotent: bool,
    /// How many runners start together
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..=64))]
    runners: u16,
    /// How often they do
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// How long the proofs `runners` and `crash` may take, each
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    budget: u64,
    /// Stop a statement that takes longer, unless the migration sets its own limit
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    statement_timeout: u64,
    /// How many proofs go on at the same time, each on a local server of its own. Those that call the runner never do. Default: one
    /// for each processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: Option<u16>,
    /// Stop what makes the databases of a proof larger than this together
    #[arg(long, value_name = "MB", default_value_t = 4000)]
    disk_limit: u64,
}

#[derive(Debug, clap::Args)]
struct ServerArguments {
    /// The directory of `initdb` and `postgres`, instead of looking for one
    #[arg(long, value_name = "DIR", group = "server")]
    pg_bin: Option<PathBuf>,
    /// The major version of the server, as in 17; without it the newest that is found
    #[arg(long, value_name = "MAJOR", conflicts_with_all = ["image", "database_url", "disposable"])]
    pg_version: Option<u32>,
    /// A server in a container of this image, as in postgres:17. Default where no server programs are found
    #[arg(long, value_name = "IMAGE", group = "server")]
    image: Option<String>,
    /// A server that runs already, and that nobody will miss: a URL, key=value pairs, or Npgsql's form. Without a password in it:
    /// that comes from PGPASSWORD, PGPASSFILE or PGPASSWORD_FILE. The cluster has to be empty
    #[arg(long, value_name = "URL", requires = "disposable", group = "server")]
    database_url: Option<String>,
    /// The server that --database-url or PGHOST and the like name may be used: nobody will miss what is there
    #[arg(long)]
    disposable: bool,
    /// A setting of the server, for one that is started here
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting, conflicts_with_all = ["database_url", "disposable"])]
    set: Vec<(String, String)>,
    /// The migrations run as a superuser
    #[arg(long)]
    superuser: bool,
    /// The migrations may make roles. From 16 on they may anyway; on 15 such a role can make itself nearly a superuser
    #[arg(long)]
    create_role: bool,
    /// Leave the server running, and say how to connect
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, clap::Args)]
struct RunnerArguments {
    /// Apply the migrations with this command, run by `sh -c`, instead of doing what the layout's runner does. It finds
    /// DATABASE_URL, PGHOST and the like, and MIGRATIONS_DIR in its environment
    #[arg(long, value_name = "COMMAND")]
    runner: Option<String>,
    /// Where the runner records what is applied, where that is no common runner's table
    #[arg(long, value_name = "TABLE(COLUMN)", requires = "runner")]
    ledger: Option<String>,
    /// The runner cannot use a Unix socket: it gets a port of 127.0.0.1
    #[arg(long, requires = "runner")]
    runner_tcp: bool,
    /// Stop the runner after this long
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    runner_timeout: u64,
}

/// A proof by its name.
fn proof(name: &str) -> Result<&'static dyn Proof, String> {
    PROOFS.iter().copied().find(|proof| proof.name() == name).ok_or_else(|| {
        let names: Vec<&str> = PROOFS.iter().map(|proof| proof.name()).collect();
        let meant = nearest(name, names.iter().copied()).map(|name| format!(": did you mean `{name}`?")).unwrap_or_default();
        format!("there is no such proof{meant}; there are {}", names.join(", "))
    })
}

impl Arguments {
    fn request(&self) -> prover::Request {
        let ProofArguments { only, skip, idempotent, runners, rounds, budget, statement_timeout, jobs, disk_limit } =
            &self.proofs;
        let is_in = |list: &[&'static dyn Proof], proof: &&'static dyn Proof| list.iter().any(|one| one.name() == proof.name());
        let is_asked = |proof: &&'static dyn Proof| {
            if only.is_empty() { !is_in(skip, proof) && !proof.is_opt_in() } else { is_in(only, proof) }
        };
        prover::Request {
            proofs: PROOFS.iter().copied().filter(is_asked).collect(),
            wanted: Wanted {
                runners: usize::from(*runners),
                rounds: usize::from(*rounds),
                budget: Duration::from_secs(*budget),
                runner_limit: Duration::from_secs(self.runner.runner_timeout),
                start_together: false,
                idempotent: *idempotent,
                seed: Vec::new(),
            },
            cluster: ClusterOptions {
                superuser: self.server.superuser,
                create_role: self.server.create_role,
                statement_timeout: statement_timeout.saturating_mul(1000),
                ..ClusterOptions::default()
            },
            runner: match &self.runner.runner {
                Some(line) => RunnerChoice::Command { line: line.clone(), over_tcp: self.runner.runner_tcp },
                None => RunnerChoice::BuiltIn,
            },
            ledger: self.runner.ledger.clone(),
            keep: self.server.keep,
            disk_limit: disk_limit.saturating_mul(1_000_000),
            jobs: jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from),
        }
    }
}

impl ServerArguments {
    /// Fails where it is not clear which server is meant.
    fn choice(&self) -> Result<ServerChoice, String> {
        let settings = self.set.clone();
        let pg_version = self.pg_version;
        if self.disposable {
            let target = Target::parse(self.database_url.as_deref(), &ProcessEnvironment).map_err(|error| error.to_string())?;
            return Ok(ServerChoice::Url { target, disposable: true });
        }
        Ok(match (&self.image, &self.pg_bin) {
            (Some(image), _) => ServerChoice::Container { image: image.clone(), settings },
            (None, Some(pg_bin)) => ServerChoice::Local { pg_bin: Some(pg_bin.clone()), pg_version, settings },
            (None, None) => ServerChoice::Automatic { pg_version, settings },
        })
    }
}

/// `name=value`.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it as name=value".to_owned()),
    }
}

/// Checks, proves, writes the report and says how it ended. An error is one of standard output.
pub fn run(arguments: &Arguments, color: ColorChoice, volume: Volume) -> io::Result<Exit> {
    let judging = match arguments.judging.judging(color) {
        Ok(judging) => judging,
        Err(exit) => return Ok(exit),
    };
    let request = arguments.request();
    let started = arguments.server.choice().and_then(|choice| {
        // A signal that comes while there is no handler leaves the rest to the watchdog.
        let _ = interrupt::install();
        server::start(&choice).map_err(|error| error.to_string())
    });
    let server = match started {
        Ok(server) => server,
        Err(why) => {
            interrupt::settle();
            terminal::complain(&why);
            return judging.finish(check::run(&judging.request), volume, |_| {}).map(|exit| exit.max(Exit::Unproven));
        }
    };
    let screen = Terminal::new(volume);
    let mut prover = Prover::new(server.as_ref(), &request, &screen);
    let mut watched = Watched::start(Some(&mut prover));
    let checked = check::run_observed(&judging.request, &mut watched);
    let Watched { lines, .. } = watched;
    let Prover { evidence, kept, .. } = prover;
    interrupt::settle();
    if volume == Volume::Verbose {
        verbose::tell(&lines);
    }
    let is_incomplete = evidence.iter().any(Evidence::is_incomplete);
    tell_what_is_missing(&evidence);
    match kept {
        Some(Ok(lines)) => lines.iter().for_each(|line| terminal::complain_at_length(&escape(line))),
        Some(Err(why)) => terminal::complain(&format!("nothing was kept: {why}")),
        None => {}
    }
    let exit = judging.finish(checked, volume, |report| report.evidence = evidence)?;
    Ok(if is_incomplete { exit.max(Exit::Unproven) } else { exit })
}

/// One line for each thing that was asked and not proven, as for what could not be used.
fn tell_what_is_missing(evidence: &[Evidence]) {
    for one in evidence {
        for proof in &one.proofs {
            if let Outcome::NotRun(why) = &proof.outcome {
                terminal::complain(&format!("{}: {} is not proven: {why}", one.history, proof.proof));
            }
        }
    }
}

/// What is going on, one line for each thing, on standard error where that is a terminal.
#[derive(Debug)]
struct Terminal {
    lines: MultiProgress,
}

impl Terminal {
    fn new(volume: Volume) -> Terminal {
        let target = if volume == Volume::Quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Terminal { lines: MultiProgress::with_draw_target(target) }
    }
}

impl Screen for Terminal {
    fn place(&self) -> Box<dyn Progress> {
        let line = self.lines.add(ProgressBar::new_spinner());
        // The template is a constant: where it could not be read the default one does.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {prefix} {wide_msg}") {
            line.set_style(style);
        }
        line.enable_steady_tick(Duration::from_millis(120));
        Box::new(Line { line })
    }
}

#[derive(Debug)]
struct Line {
    line: ProgressBar,
}

impl Progress for Line {
    fn proof(&self, name: &str) {
        self.line.set_prefix(name.to_owned());
        self.line.set_message("");
    }

    fn unit(&self, id: &str) {
        self.line.set_message(escape(id).into_owned());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}
