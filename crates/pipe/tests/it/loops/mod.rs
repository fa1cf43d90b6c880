//! Loops that must compile, and what they find.

mod borrowed_frame_out_of_a_loop;
mod line_loop;
mod owned_frame_loop;
mod view_held_over_an_await;
