//! What a process has used, as the kernel counts it.

use std::{fs, io};

/// CPU time that all threads of the process with this number have used so far, in nanoseconds: exact while it
/// waits.
///
/// # Errors
///
/// When it has ended, or the system does not say.
pub fn cpu_ns(process: u32) -> io::Result<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let times = fs::read_to_string(thread?.path().join("schedstat"))?;
        let running = times.split(' ').next().and_then(|ns| ns.parse::<u64>().ok());
        sum += running.ok_or_else(|| io::Error::other("the kernel keeps no times"))?;
    }
    Ok(sum)
}

/// A line of its status, in bytes: `VmRSS` is what it holds, `VmHWM` the most it held. Zero where the system
/// has no such file.
#[must_use]
pub fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    kibibytes(&status, name).unwrap_or(0) << 10
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_status_file() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(2048));
        assert_eq!(kibibytes(status, "VmRSS"), Some(1024));
        assert_eq!(kibibytes(status, "VmSwap"), None);
    }
}
