use std::{
    env,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs a server until it ends or standard input does, which it does when the process that holds the other end is gone,
/// however it went. A parent-death signal would not do: it follows the thread that started the server, and a test's
/// thread ends before the next test.
///
/// `$1` is the folder to remove, `$2` the signal that ends the server at once, and the rest is the server's command.
const KEEPER: &str = r#"
folder=$1 signal=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- >"$folder/log" 2>&1 &
server=$!
echo "$server"
exec 2>/dev/null
(
    read -r _ <&3
    # Again until it is gone: a server that only just starts does not heed a signal yet.
    while kill "-$signal" "$server"; do
        kill -CONT "$server"
        sleep 0.1
    done
) >/dev/null &
watcher=$!
wait "$server"
kill "$watcher"
tail -n 40 "$folder/log"
rm -rf -- "$folder"
"#;

/// A running server and the folder it lives in.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    keeper: Child,
    output: Option<BufReader<ChildStdout>>,
    pid: String,
    folder: PathBuf,
}

impl Server {
    /// Starts `command`; its first word is a program, and everything it prints goes to the folder's `log`.
    pub(crate) fn start(name: &'static str, folder: PathBuf, signal: &str, command: Vec<String>) -> Self {
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .arg(signal)
            .args(command)
            // Ctrl-C in a terminal ends the test; the keeper has to outlive it for a moment.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut keeper =
            keeper.unwrap_or_else(|error| panic!("{name} cannot be started through sh: {error}"));
        let mut output = keeper.stdout.take().map(BufReader::new);
        let mut pid = String::new();
        if let Some(output) = &mut output
            && let Err(error) = output.read_line(&mut pid)
        {
            panic!("{name} cannot be started through sh: {error}");
        }
        Self {
            name,
            keeper,
            output,
            pid: pid.trim().to_owned(),
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn pid(&self) -> &str {
        &self.pid
    }

    /// Waits until the server is `ready`; `false` when it ended before.
    pub(crate) fn becomes(&mut self, ready: impl Fn(&Self) -> bool) -> bool {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            if matches!(self.keeper.try_wait(), Ok(Some(_))) {
                return false;
            }
            if ready(self) {
                return true;
            }
            assert!(Instant::now() < patience, "{} does not get ready", self.name);
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        run(Command::new("sh").args(["-c", "kill \"-$1\" \"$2\"", "sh", signal, &self.pid]));
    }

    /// The end of the log of a server that ended by itself.
    pub(crate) fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(output) = &mut self.output {
            // What can be read is better than nothing.
            let _ = output.read_to_string(&mut words);
        }
        words
    }
}

/// Ends the server and waits until it and its folder are gone.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.output.take());
        // Whatever went wrong, there is nothing more to do about it.
        let _ = self.keeper.wait();
    }
}

/// A fresh folder. In /tmp whatever `TMPDIR` says: the path of a socket has little room, and other users must get in.
pub(crate) fn folder() -> PathBuf {
    match tempfile::Builder::new().prefix("test-").tempdir_in("/tmp") {
        // Its keeper removes it.
        Ok(folder) => folder.keep(),
        Err(error) => panic!("no temporary folder can be made: {error}"),
    }
}

/// Runs a program to its end and gives what it printed; what it had to complain about fails the test.
pub(crate) fn run(command: &mut Command) -> String {
    let program = command.get_program().display().to_string();
    match command.output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => panic!(
            "{program} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => panic!("{program} cannot be started: {error}"),
    }
}

/// Where a program is, looking through `PATH`.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
