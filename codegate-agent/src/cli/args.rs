//! What can be said on the command line; the manual is made from it.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use super::{client::Client, exit::Problem, pause::Time, scan::Scan};
use crate::{
    config::{self, Config},
    session::Id,
};

/// A guard between the AI tools of this machine and the services they call.
///
/// Exit codes: 0 fine, 1 findings, 2 usage or bad input, 3 not permitted, 4 agent unreachable,
/// 5 degraded.
#[derive(Debug, Parser)]
#[command(name = "codegate", version, max_term_width = 100)]
pub(super) struct Cli {
    /// The configuration [default: /etc/codegate/config.toml, which need not exist]; the
    /// `conf.d/*.toml` beside it are read too
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The agent's control socket [default: control.sock in the configured runtime_dir,
    /// /run/codegate]
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// Print data as JSON, one object per line
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the guard itself, in the foreground
    Agent {
        /// Follow the agent that runs already, if there is one: it ends when its connections have
        #[arg(long)]
        take_over: bool,
    },
    /// Run a command that trusts the guard; its exit code is passed on
    ///
    /// 127 says that the command was not found, 126 that it could not be run.
    Run {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Print the variables that make programs trust the guard, for `eval "$(codegate env)"`
    Env,
    /// Say how the agent is
    Status,
    /// Look at what the guard needs, and say what is missing
    ///
    /// Works without the agent. As root it has the kernel verify the eBPF programs, too. Ends with 5
    /// if there is a problem.
    Doctor,
    /// Let everything go direct for some time, unguarded (root only); it ends by itself
    ///
    /// Works without the agent, too, where its programs outlived it (fail = "closed").
    Pause {
        /// For how long, as in 10m, 1h 30m or 90s; seven days at most
        #[arg(default_value = "10m")]
        time: Time,
    },
    /// End a pause (root only)
    Resume,
    /// What happened between processes and AI services
    Sessions {
        #[command(subcommand)]
        command: Sessions,
    },
    /// What was sealed
    Secrets {
        #[command(subcommand)]
        command: Secrets,
    },
    /// Find secrets in files, folders and standard input, without the agent
    ///
    /// Exit codes: 0 nothing found, 1 findings, 2 something could not be scanned.
    Scan(Scan),
    /// What is known about packages
    Packages {
        #[command(subcommand)]
        command: Packages,
    },
    /// The local certificate authority
    Ca {
        #[command(subcommand)]
        command: Ca,
    },
    /// The configuration
    Config {
        #[command(subcommand)]
        command: Configuration,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, or write the pages of all commands
    Man {
        /// Write all pages into this directory
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Sessions {
    /// List your sessions, newest first (root: everybody's)
    List {
        /// At most so many
        #[arg(long, short = 'n', default_value_t = 50, value_name = "COUNT")]
        limit: usize,
    },
    /// Show one session with its exchanges and events
    Show {
        /// The session, as the list names it
        id: Id,
    },
    /// Show what happens from now on
    Tail,
}

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// List what was sealed for you, without the values (root: for everybody)
    List {
        /// Only this user's (root only)
        #[arg(long)]
        uid: Option<u32>,
    },
    /// Print the value that a placeholder stands for, and nothing else; this is recorded
    Reveal {
        /// The placeholder
        placeholder: String,
        /// The user whose secret it is (root only)
        #[arg(long)]
        uid: Option<u32>,
    },
    /// Have a value found wherever it stands; only keyed hashes of it are kept
    ///
    /// The value is read from a prompt that does not show it, or else from standard input: never
    /// from the arguments, which others can see. One line break at its end is not part of it.
    Add {
        /// Read a word list: each line is a value
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The KIND of the placeholders, 2 to 12 of A-Z and 0-9 [default: SECRET]
        #[arg(long)]
        kind: Option<String>,
        /// The user whose secret it is (root only)
        #[arg(long)]
        uid: Option<u32>,
    },
    /// Forget a value for good: its placeholder will not be restored any more
    Forget {
        /// The placeholder
        placeholder: String,
        /// The user whose secret it is (root only)
        #[arg(long)]
        uid: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Packages {
    /// Say what is to be thought of packages
    ///
    /// Exit codes: 0 all are fine, 1 something is to be said, 2 something is no package URL.
    Check {
        /// Package URLs, as in pkg:npm/left-pad@1.3.0; `-` reads them from standard input, one a
        /// line
        #[arg(required = true, value_name = "PURL")]
        purls: Vec<String>,
    },
    /// List the packages that a text names, and where
    ///
    /// A file is read as its name says: a manifest, a lock file, a Dockerfile, a workflow, a diff, or
    /// code; anything else and standard input as Markdown, with its fences and inline code.
    Scan {
        /// The file; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Build the index anew, and put it in service at once and whole
    ///
    /// Without a folder, OSV's bucket is fetched from the address in the configuration: what has
    /// changed since the last time, or everything. What is not named is carried over from the index
    /// in service.
    Update(Feeds),
    /// Sign the index in service, for a fleet to take with `update --from-generation`
    Publish(Publish),
    /// Make a key to sign with, and print its public half
    Keygen {
        /// The new file; only its owner may read it
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Say what the index holds, and how old it is
    Stats,
}

/// Where the data is.
#[derive(Debug, Args)]
pub(super) struct Feeds {
    /// Malicious packages: a folder laid out like OSV's bucket (ecosystems.txt, npm/all.zip, …)
    #[arg(long, value_name = "DIR")]
    pub(super) from: Option<PathBuf>,
    /// Fetch them from here instead of the configured address
    #[arg(long, value_name = "URL", conflicts_with = "from")]
    pub(super) url: Option<String>,
    /// Fetch everything, however little has changed
    #[arg(long, conflicts_with = "from")]
    pub(super) whole: bool,
    /// Take an index that a trusted key has signed: its generation.json, as a file or a URL
    #[arg(long, value_name = "FILE|URL", conflicts_with_all = ["from", "url", "whole", "rustsec", "top", "names", "lists"])]
    pub(super) from_generation: Option<String>,
    /// Unmaintained and malicious crates: RustSec's database (crates/NAME/ID.md)
    #[arg(long, value_name = "DIR")]
    pub(super) rustsec: Option<PathBuf>,
    /// The most downloaded names: top_ECOSYSTEM_packages.json
    #[arg(long, value_name = "DIR")]
    pub(super) top: Option<PathBuf>,
    /// All names there are, to tell which do not exist: ECOSYSTEM.txt or .txt.gz, one a line
    #[arg(long, value_name = "DIR")]
    pub(super) names: Option<PathBuf>,
    /// Records of your own: ECOSYSTEM.jsonl, with name, status, and perhaps versions
    #[arg(long, value_name = "DIR")]
    pub(super) lists: Option<PathBuf>,
}

/// What is published.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// The folder that machines take it from
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// The key: PKCS #8 in PEM, as `keygen` makes it
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Its version, larger than any before [default: the generation of the index]
    #[arg(long = "release", value_name = "NUMBER")]
    pub(super) release: Option<u64>,
    /// For how many days it may be taken
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    pub(super) days: u16,
}

#[derive(Debug, Subcommand)]
pub(super) enum Ca {
    /// Show the certificate authority that programs must trust
    Show {
        /// Print the certificate itself
        #[arg(long)]
        pem: bool,
    },
    /// Have this system's programs trust it (root only)
    ///
    /// Puts it into the system's trust store, and sets the variables of `codegate env` for sessions
    /// that begin from now on. Works without the agent once it has run.
    Install {
        /// Only the trust store: no variables
        #[arg(long)]
        no_environment: bool,
    },
    /// Undo what `install` did (root only)
    Uninstall,
    /// Have the agent make a new one (root only)
    ///
    /// Where `install` put the old one, the new one takes its place; elsewhere it must be trusted anew.
    /// Connections that are under way go on.
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(super) enum Configuration {
    /// Read the configuration and say what is wrong with it
    Check,
    /// Print the configuration with all defaults, as TOML
    Show,
    /// Print the JSON Schema of a configuration file, for editors
    Schema,
}

impl Cli {
    /// The configuration that the agent would use.
    pub(super) fn configuration(&self) -> Result<Config, Problem> {
        Ok(Config::load(self.config.as_deref())?)
    }

    /// A connection to the agent.
    pub(super) fn client(&self) -> Result<Client, Problem> {
        let path = match &self.socket {
            Some(socket) => socket.clone(),
            None => self.forgiving()?.socket(),
        };
        Client::connect(&path)
    }

    /// The configuration that an agent probably uses. A mistake in the default one does not keep a
    /// user from asking a running agent; one in a file they name does.
    pub(super) fn forgiving(&self) -> Result<Config, Problem> {
        match self.configuration() {
            Err(_) if self.config.is_none() => Ok(Config::default()),
            other => other,
        }
    }

    /// Where the agent's socket is, and what its programs are known by.
    pub(super) fn runtime_dir(&self) -> Result<PathBuf, Problem> {
        Ok(self.forgiving()?.runtime_dir)
    }

    /// The file that is read first.
    pub(super) fn config_file(&self) -> PathBuf {
        let default = || config::DEFAULT_FILE.into();
        self.config.clone().unwrap_or_else(default)
    }
}
