//! A task's turn, which its executor may limit.

use std::task::{Context, Poll};

/// Takes a step that counts, if it is ready, towards what tokio lets a task do in one go. Where that is
/// spent, no step is taken, and the task is woken for its next turn. Within another executor, or
/// without the feature `tokio`, it is just the step.
#[inline]
pub(super) fn in_turn<T>(
    context: &mut Context<'_>,
    step: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    #[cfg(feature = "tokio")]
    let turn = std::task::ready!(tokio::task::coop::poll_proceed(context));
    let done = step(context);
    #[cfg(feature = "tokio")]
    if done.is_ready() {
        turn.made_progress();
    }
    done
}
