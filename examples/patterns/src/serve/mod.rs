mod range;
mod target;
