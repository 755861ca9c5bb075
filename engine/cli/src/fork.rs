//! `fork`: what if one input of a run had been another one? And which inputs matter most?

mod ranked;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use dacapo_kernel::{Body, Change, Event, Plan, Recording, Reused, Seq, System, Time, plan_of};
use dacapo_lab::fork::{Asked, ForkError, Made, MakeError, Meant, make, meant};
use dacapo_lab::shrink::RecordedFiles;
use dacapo_lab::{Moment, VERSION, tell_events};
use serde_json::json;

use crate::diff;
use crate::exit::{Exit, Problem};
use crate::import::refuse_imported;
use crate::log_file::{self, open, shown};
use crate::progress::Goal;
use crate::screen::{Screen, Tone};
use crate::text::counted;

/// Which input is another one, and how.
#[derive(Args, Debug)]
pub(crate) struct ForkArgs {
    /// The log
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// The event that is another one: an input. Event 0 is the configuration
    #[arg(long, value_name = "SEQ", value_parser = seq, conflicts_with = "rank")]
    at: Option<Seq>,
    /// What it says instead at a place: `reply.action="abort"`; may be repeated
    #[arg(long, value_name = "PATH=VALUE", conflicts_with = "drop")]
    set: Vec<String>,
    /// It never comes
    #[arg(long)]
    drop: bool,
    /// It comes at this time instead; + or - in front moves it by so much: +500ms
    #[arg(long, value_name = "TIME", value_parser = shift, conflicts_with_all = ["set", "drop", "rank"], allow_hyphen_values = true)]
    time: Option<Shift>,
    /// Where the log of the fork goes, instead of LOG-fork-SEQ.dlog
    #[arg(long, value_name = "PATH", conflicts_with = "rank")]
    out: Option<PathBuf>,
    /// Replace the file that --out names, if there is one
    #[arg(long, requires = "out")]
    force: bool,
    /// The folder of the scenario that the log was made from, if it names data files
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Make a fork for each of many inputs, and rank the inputs by what each is worth in this figure
    #[arg(long, value_name = "FIGURE")]
    rank: Option<String>,
    /// With --rank: which inputs, as a pattern of `find`; all that the system is told, unless given
    #[arg(long, value_name = "PATTERN", requires = "rank")]
    of: Option<String>,
    /// With --rank: make at most so many forks, of inputs that are spread over the run
    #[arg(long, value_name = "N", requires = "rank", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    max_runs: u64,
    /// With --rank: stop after so long, with what has been tried by then: 60s, 5m
    #[arg(long, value_name = "TIME", requires = "rank", value_parser = crate::values::wall_time)]
    budget: Option<Duration>,
    /// Tell at most so many rows of each table
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: usize,
}

/// Commands to learn from, and what they are for.
pub(crate) const EXAMPLES: [(&str, &str); 5] = [
    (
        "fork day.dlog --at 1171 --set 'reply.action=\"abort\"'",
        "what if the answer had been another one",
    ),
    ("fork day.dlog --at 204 --drop", "what if it had not come"),
    (
        "fork day.dlog --at 1171 --time +2s",
        "what if it had come later",
    ),
    (
        "fork day.dlog --at 0 --set plan.seed=8",
        "another configuration: event 0 carries it",
    ),
    (
        "fork day.dlog --rank leases --of 'fault injected'",
        "which of them matter most",
    ),
];

/// What else there is to know.
pub(crate) const AFTER: &str = "\nUp to the event everything is as recorded, and compared. Behind it recorded inputs are used where they\n\
     still apply (items of feeds, draws by actor and purpose, answers to a question that is asked again);\n\
     the rest is generated. Places are those of `show --message-format json`, under `body`; a path leads\n\
     through texts that are JSON. The log of a fork replays like any other.\n\
     Exit: 0 forked, 2 the change is none, 3 this program does not go as recorded up to there,\n\
     6 the log is damaged.";

/// When an input comes instead.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shift {
    At(Time),
    Later(Duration),
    Earlier(Duration),
}

fn shift(text: &str) -> Result<Shift, String> {
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => (0, text),
    };
    match (rest.parse::<Moment>(), sign) {
        (Ok(Moment::Time(time)), 0) => Ok(Shift::At(time)),
        (Ok(Moment::Time(time)), 1) => Ok(Shift::Later(time.since(Time::ZERO))),
        (Ok(Moment::Time(time)), _) => Ok(Shift::Earlier(time.since(Time::ZERO))),
        _ => Err("expected a time such as 00:01:02.5, or +500ms or -2s".to_owned()),
    }
}

fn seq(text: &str) -> Result<Seq, String> {
    match text.parse::<Moment>() {
        Ok(Moment::Event(seq)) => Ok(seq),
        _ => Err("expected the number of an event, such as 1171".to_owned()),
    }
}

/// A recorded run, ready to be forked.
struct Original<S: System> {
    log: String,
    plan: Plan<S::Config>,
    recording: Rc<Recording<S::Event>>,
    files: RecordedFiles,
}

pub(crate) fn fork<S: System>(
    args: &ForkArgs,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    let original = read::<S>(args)?;
    match (args.at, &args.rank) {
        (Some(at), _) => one::<S>(args, at, &original, screen, arguments),
        (None, Some(figure)) => ranked::rank::<S>(args, figure, &original, screen),
        (None, None) => Err(Problem::usage(
            "say which event is another one with --at SEQ, or rank the inputs with --rank FIGURE",
        )),
    }
}

fn read<S: System>(args: &ForkArgs) -> Result<Original<S>, Problem> {
    let log = shown(&args.log);
    let problem = |error| Problem::log(&log, &error);
    let plan = plan_of::<S>(&mut open(&args.log)?).map_err(problem)?;
    refuse_imported(&log, &plan.profile, "fork")?;
    let recording = Recording::read(open(&args.log)?).map_err(problem)?;
    let folders = match &args.data {
        Some(folder) => vec![folder.clone()],
        None => {
            let beside = args.log.parent().unwrap_or(Path::new("")).to_owned();
            vec![beside, PathBuf::from("."), PathBuf::from("scenarios")]
        }
    };
    let files = RecordedFiles::find(&plan.data, &folders).map_err(|what| {
        Problem::usage(format!(
            "{log}: its data files are needed to go on; say where they are with --data: {what}"
        ))
    })?;
    Ok(Original {
        log,
        plan,
        recording: Rc::new(recording),
        files,
    })
}

/// What is asked of the input; the time is filled in for one event.
fn asked(args: &ForkArgs) -> Result<Asked, Problem> {
    let mut asked = Asked {
        left_out: args.drop,
        ..Asked::default()
    };
    for set in &args.set {
        let one: Asked = set
            .parse()
            .map_err(|error: ForkError| Problem::usage(format!("--set {set}: {error}")))?;
        asked.set.extend(one.set);
    }
    Ok(asked)
}

fn one<S: System>(
    args: &ForkArgs,
    at: Seq,
    original: &Original<S>,
    screen: &mut Screen<'_>,
    arguments: &[OsString],
) -> Result<Exit, Problem> {
    let log = &original.log;
    let mut asked = asked(args)?;
    if let (Some(shift), Some(event)) = (args.time, original.recording.event(at)) {
        asked.time = Some(match shift {
            Shift::At(time) => time,
            Shift::Later(span) => event.time + span,
            Shift::Earlier(span) => Time::from_nanos(
                u64::try_from(event.time.since(Time::ZERO + span).as_nanos()).unwrap_or(0),
            ),
        });
    }
    if asked == Asked::default() {
        return Err(Problem::usage(
            "say what is another one: --set PATH=VALUE, --drop or --time",
        ));
    }
    let usage = |error: ForkError| Problem::usage(format!("{log}: {error}"));
    let meant = meant::<S>(&original.recording, at, &asked).map_err(usage)?;
    let out = args.out.clone().unwrap_or_else(|| place(&args.log, at));
    if args.out.is_some() && !args.force && std::fs::symlink_metadata(&out).is_ok() {
        return Err(Problem::usage(format!(
            "{} exists already; give --force to replace it, or another path",
            out.display()
        )));
    }
    let begun = screen.elapsed();
    let made: Made = {
        let _progress = screen.progress("fork", Goal::Unknown);
        let (plan, recording) = (&original.plan, &original.recording);
        make::<S>(plan, recording, &meant, &original.files).map_err(|error| told(log, error))?
    };
    log_file::write(&out, &made.log)?;
    let wall = screen.elapsed().saturating_sub(begun);
    log_file::write_facts(&out, arguments, wall, screen);
    tell::<S>(original, (at, &meant), (&out, made.reused), screen)?;
    diff::tell::<S>((&args.log, &out), args.limit, screen)?;
    Ok(Exit::Fine)
}

/// Where the log of a fork goes unless somebody says otherwise.
fn place(log: &Path, at: Seq) -> PathBuf {
    let stem = log.file_stem().unwrap_or_default().to_string_lossy();
    log.with_file_name(format!("{stem}-fork-{at}.dlog"))
}

/// What was changed, and what was kept.
fn tell<S: System>(
    original: &Original<S>,
    (at, meant): (Seq, &Meant<S>),
    (out, reused): (&Path, Option<Reused>),
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let mut events = dacapo_kernel::Events::<S::Event>::new(open(Path::new(&original.log))?);
    let lines = tell_events::<S>(&mut events, &[at]);
    let was = lines.map_err(|error| Problem::log(&original.log, &error))?;
    let was = was.first().map_or(String::new(), |line| {
        format!(
            "{}  {}  {}  {}",
            line.time, line.actor, line.kind, line.text
        )
    });
    let is = is_now(original, at, meant);
    if !screen.is_for_people() {
        screen.json(&json!({
            "v": VERSION,
            "type": "fork",
            "log": original.log,
            "event": at,
            "was": was,
            "is": is,
            "out": shown(out),
            "reused": reused.map(|reused| json!({
                "answers_recorded": reused.answers_recorded,
                "answers_generated": reused.answers_generated,
                "items_recorded": reused.items_recorded,
                "items_generated": reused.items_generated,
                "draws_recorded": reused.draws_recorded,
                "draws_generated": reused.draws_generated,
            })),
        }));
        return Ok(());
    }
    let word = screen.paint(Tone::Head, "FORK");
    let (log, out) = (Screen::safe(&original.log), Screen::safe(shown(out)));
    screen.line(format!("{word}  {log}  at event {at}  into {out}"));
    if screen.quiet {
        return Ok(());
    }
    let width = screen.width().saturating_sub(12);
    let clipped = |text: &str| crate::endings::clipped(text, width);
    screen.line(format!("  was       {}", Screen::safe(clipped(&was))));
    screen.line(format!("  is        {}", Screen::safe(clipped(&is))));
    screen.line(format!("  behind it {}", behind(reused)));
    screen.line("");
    Ok(())
}

fn is_now<S: System>(original: &Original<S>, at: Seq, meant: &Meant<S>) -> String {
    match meant {
        Meant::Plan(_) => "another configuration, which the comparison names".to_owned(),
        Meant::Input(fork) => match &fork.change {
            Change::LeftOut => "nothing: it never comes".to_owned(),
            Change::Comes(time) => format!("the same at {time}"),
            Change::Says(body) => {
                let Some(event) = original.recording.event(at) else {
                    return String::new();
                };
                let changed = Event {
                    body: body.clone(),
                    ..event
                };
                match (&changed.body, dacapo_lab::body_json(&changed)) {
                    (Body::Domain(domain), _) => S::describe(&changed, domain),
                    (Body::Kernel(_), Ok(body)) => body.to_string(),
                    (Body::Kernel(_), Err(_)) => String::new(),
                }
            }
        },
    }
}

/// How many inputs behind the change were recorded, and how many made.
fn behind(reused: Option<Reused>) -> String {
    let Some(reused) = reused else {
        return "every input is generated again from the configuration and its seed".to_owned();
    };
    let mut parts = Vec::new();
    let rows = [
        ("answer", reused.answers_recorded, reused.answers_generated),
        (
            "item of feeds",
            reused.items_recorded,
            reused.items_generated,
        ),
        ("draw", reused.draws_recorded, reused.draws_generated),
    ];
    for (name, recorded, generated) in rows {
        if recorded + generated > 0 {
            let several = match name {
                "item of feeds" => "items of feeds".to_owned(),
                name => format!("{name}s"),
            };
            let all = counted(recorded + generated, name, &several);
            parts.push(match generated {
                0 => format!("{all} as recorded"),
                some => format!("{all}, {some} of them generated"),
            });
        }
    }
    match parts.is_empty() {
        true => "no input comes any more".to_owned(),
        false => parts.join("; "),
    }
}

/// What kept a fork from being made, for whoever asked.
fn told<E: dacapo_kernel::EventSet>(log: &str, error: MakeError<E>) -> Problem {
    match error {
        MakeError::Run(error) => Problem::log(log, &error),
        MakeError::Diverged(_) => Problem::Other(Exit::Diverged, format!("{log}: {error}")),
        MakeError::Refused(mistake) => {
            let help = mistake
                .help
                .as_ref()
                .map_or(String::new(), |help| format!("; {help}"));
            let at = mistake.at.join(".");
            Problem::usage(format!(
                "{log}: the changed configuration is refused: `{at}`: {}{help}",
                mistake.what
            ))
        }
        MakeError::NoReplay(_) => Problem::internal(format!("{log}: {error}")),
    }
}
