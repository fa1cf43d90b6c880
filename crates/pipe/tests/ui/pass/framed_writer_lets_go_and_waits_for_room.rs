//! What `PipeErrorKind::Full` and an idle pipe ask for, where frames are written: `drained` waits for
//! room, `release` lets go of the open block.
use aqueduct_pipe::{FramedWriter, PipeError};

async fn idle(writer: &mut FramedWriter) -> Result<(), PipeError> {
    writer.drained().await?;
    writer.release();
    Ok(())
}

fn main() {
    let _ = idle;
}
