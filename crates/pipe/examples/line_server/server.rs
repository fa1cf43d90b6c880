//! The server: three loops for each connection, with a pipe between each two of them.

use aqueduct_pipe::{Options, PipeError, Read, Reader, Writer, pipe};
use aqueduct_pool::Pool;
use std::{io, sync::Arc};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

/// Bytes at which a direction of a connection pauses, and of its largest segment: it holds at most
/// this and the segments that were open when it was reached.
pub const PAUSE: usize = 16 << 10;
/// Bytes of the longest line, with its end: a connection never holds more than a few of these.
pub const LONGEST: usize = 8 << 10;

/// Serves until the process ends. Whoever connects to `control` is told how the server is doing.
pub async fn serve(listener: TcpListener, control: TcpListener) -> io::Result<()> {
    let pool = Pool::new();
    let connections = Arc::new(());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (socket, _) = accepted?;
                let (pool, connected) = (pool.clone(), Arc::clone(&connections));
                tokio::spawn(async move {
                    // How a connection ends is its client's affair.
                    let _ = connection(socket, &pool).await;
                    drop(connected);
                });
            }
            asked = control.accept() => {
                let (mut socket, _) = asked?;
                let status = Status::now(&pool, Arc::strong_count(&connections) - 1);
                socket.write_all(status.to_line().as_bytes()).await?;
            }
        }
    }
}

async fn connection(mut socket: TcpStream, pool: &Pool) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let options = Options::builder().pool(pool).pause(PAUSE).segments(1 << 10, PAUSE);
    let options = options.build().map_err(io::Error::other)?;
    let (mut input, lines) = pipe(options.clone());
    let (answers, mut output) = pipe(options);
    let (mut from, mut to) = socket.split();
    let receive = async move {
        while input.fill_from(&mut from).await? > 0 {}
        input.finish();
        Ok(())
    };
    let send = async move {
        while output.drain_to(&mut to).await? > 0 {}
        to.shutdown().await
    };
    tokio::try_join!(receive, async { Ok(answer(lines, answers).await?) }, send)?;
    Ok(())
}

/// Answers each line with its length and itself. The line is handed over, and not copied.
async fn answer(mut lines: Reader, mut answers: Writer) -> Result<(), PipeError> {
    loop {
        let read = tokio::select! {
            biased;
            read = lines.read() => read?,
            // Everybody has what they asked for: an idle connection holds no block.
            _ = answers.drained() => {
                answers.release();
                lines.read().await?
            }
        };
        let (mut view, last) = match read {
            Read::Eof(view) => (view, true),
            read => (read.into_view(), false),
        };
        while let Some(end) = view.seq().find(b'\n') {
            answers.write(format!("{end} ").as_bytes())?;
            answers.push_sequence(view.take(end + 1))?;
        }
        if view.len() >= LONGEST {
            lines.fail("a line is too long");
            return Ok(());
        }
        view.need_more(0);
        let _ = answers.flush().await?;
        if last {
            answers.finish();
            return Ok(());
        }
    }
}

/// How the server is doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status {
    pub connections: usize,
    /// Blocks of the pool in use.
    pub outstanding: u64,
    /// Bytes of the pool in use, and kept.
    pub held: u64,
    /// Resident bytes of the process.
    pub resident: usize,
}

impl Status {
    fn now(pool: &Pool, connections: usize) -> Self {
        let (stats, resident) = (pool.stats(), aqueduct_testkit::resident_bytes().unwrap_or(0));
        let (outstanding, held) = (stats.outstanding, stats.held_bytes);
        Self { connections, outstanding, held, resident }
    }

    fn to_line(self) -> String {
        let Self { connections, outstanding, held, resident } = self;
        format!("{connections} {outstanding} {held} {resident}\n")
    }

    /// Reads what [`to_line`](Self::to_line) wrote.
    pub fn parse(line: &str) -> Option<Self> {
        let mut figures = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || figures.next()?.ok();
        let connections = usize::try_from(next()?).ok()?;
        let (outstanding, held) = (next()?, next()?);
        Some(Self { connections, outstanding, held, resident: usize::try_from(next()?).ok()? })
    }
}
