//! The date in each answer.

use httpdate::HttpDate;
use std::{
    cell::Cell,
    io::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) type Date = [u8; 29];

/// The date now. It is put together once a second on each thread.
pub(crate) fn now() -> Date {
    thread_local!(static LAST: Cell<(u64, Date)> = const { Cell::new((u64::MAX, [0; 29])) });
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (last, date) = LAST.get();
    if last == seconds {
        return date;
    }
    let date = at(seconds);
    LAST.set((seconds, date));
    date
}

/// The date at so many seconds after the beginning of 1970.
fn at(seconds: u64) -> Date {
    /// In 9999: later ones have a digit too many.
    const LAST: u64 = 253_402_300_799;
    let mut text = [0; 29];
    let date = HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST)));
    // It is as long as that.
    let _ = write!(&mut text[..], "{date}");
    text
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, want) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(str::from_utf8(&at(seconds)), Ok(want));
        }
    }
}
