//! What a stranger writes first.
use aqueduct::{FramedReader, FramedWriter, Framing, Options, Read, Slice, Writer, pipe};
use std::thread;

fn lines(mut out: Writer, mut reader: aqueduct::Reader) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let (mut view, last) = match reader.read_blocking()? {
            Read::Eof(view) => (view, true),
            read => (read.into_view(), false),
        };
        match view.seq().find(b'\n') {
            Some(end) => {
                let line = view.take(end + 1);
                println!("line {:?} {}", line, line.as_ref().slice(..end).to_str()?);
                out.push_sequence(line)?;
                out.flush_blocking()?;
            }
            None if last => break,
            None => {
                view.need_more(0);
            }
        }
    }
    out.finish();
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut writer, reader) = pipe(Options::default());
    let (out, mut back) = pipe(Options::default());
    let echo = thread::spawn(move || lines(out, reader).map_err(|e| e.to_string()));
    writer.write(b"hello\nwor")?;
    writer.flush_blocking()?;
    writer.write(b"ld\n")?;
    writer.push(Slice::from_static(b"a long line that is a slice of its own, handed over\n"))?;
    writer.finish();
    loop {
        match back.read_blocking()? {
            Read::Eof(view) => {
                println!("{:?}", view.seq());
                break;
            }
            other => {
                other.into_view().need_more(0);
            }
        }
    }
    echo.join().unwrap()?;
    let (w, r) = pipe(Options::builder().max_buffered(64 << 10).build().unwrap_or_else(|e| {
        println!("awkward: {e}");
        Options::default()
    }));
    let framing = Framing::delimited(b"\n", 1000)?;
    let mut w = FramedWriter::new(w, framing.clone())?;
    let mut r = FramedReader::new(r, framing)?;
    w.write(b"one")?;
    w.push(&b"two"[..])?;
    w.finish();
    while let Some(frame) = r.next_blocking()? {
        println!("{}", String::from_utf8_lossy(&frame.into_slice()));
    }
    Ok(())
}
