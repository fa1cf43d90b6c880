//! The file that a request names, which is one below the root.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io;

use percent_encoding::percent_decode_str;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

const FLAGS: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);
/// Whatever is there, opening it must not wait for anybody, as it does for a FIFO.
const FILE: OFlags = FLAGS.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Why there is no such file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The path is none: 400.
    Malformed,
    /// It leads out of the root, or may not be read: 403.
    Forbidden,
    /// There is nothing there, or nothing that is a file: 404.
    Missing,
    /// The machine has no more descriptors, or its disk fails: 503.
    Failed(Errno),
}

/// The root of all that is served.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(path: &std::path::Path) -> io::Result<Self> {
        let flags = FLAGS | OFlags::DIRECTORY;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens what `path` names, as it stands in a request.
    pub(super) fn file(&self, path: &str) -> Result<(File, Metadata), Refused> {
        let path = decoded(path)?;
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        if names.clone().any(|name| name == "..") {
            return Err(Refused::Forbidden);
        }
        let names: Vec<&str> = names.collect();
        let file = File::from(below(&self.0, &names).map_err(refused)?);
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok((file, metadata)),
            _ => Err(Refused::Missing),
        }
    }
}

/// Opens what stands below a folder. The system sees to it that no link leads out of it, where it can
/// (Linux 5.6), else no link is followed.
fn below(root: &OwnedFd, names: &[&str]) -> rustix::io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{ResolveFlags, openat2};
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(root, names.join("/"), FILE, Mode::empty(), how) {
            Err(Errno::NOSYS | Errno::PERM) => {}
            opened => return opened,
        }
    }
    walk(root, names)
}

/// [`below`], without the system's help.
fn walk(root: &OwnedFd, names: &[&str]) -> rustix::io::Result<OwnedFd> {
    let (last, folders) = names.split_last().ok_or(Errno::NOENT)?;
    let mut folder = None;
    for name in folders {
        let from = folder.as_ref().unwrap_or(root).as_fd();
        let flags = FLAGS | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        folder = Some(openat(from, *name, flags, Mode::empty())?);
    }
    openat(folder.as_ref().unwrap_or(root), *last, FILE | OFlags::NOFOLLOW, Mode::empty())
}

fn refused(errno: Errno) -> Refused {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO => Refused::Missing,
        Errno::ACCESS | Errno::PERM | Errno::XDEV | Errno::LOOP => Refused::Forbidden,
        errno => Refused::Failed(errno),
    }
}

/// The path without its percent signs.
fn decoded(path: &str) -> Result<Cow<'_, str>, Refused> {
    let plain = percent_decode_str(path).decode_utf8().ok();
    plain.filter(|plain| plain.starts_with('/') && !plain.contains('\0')).ok_or(Refused::Malformed)
}

#[cfg(test)]
mod tests {
    use super::{Refused::*, Root, refused, walk};
    use std::{fs, io::Read, os::unix::fs::symlink};

    /// A root with files, links and what is no file, and a secret beside it.
    fn folder(name: &str) -> std::path::PathBuf {
        let base = std::env::temp_dir().join(format!("aqueduct-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        let root = base.join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(base.join("secret"), "secret").unwrap();
        fs::write(root.join("top"), "top").unwrap();
        fs::write(root.join("a/b/deep"), "deep").unwrap();
        fs::write(root.join("with space%"), "space").unwrap();
        fs::write(root.join("..dots"), "dots").unwrap();
        symlink("a/b/deep", root.join("inside")).unwrap();
        symlink("../secret", root.join("outside")).unwrap();
        symlink(base.join("secret"), root.join("absolute")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        base
    }

    #[test]
    fn only_what_is_below_the_root_is_opened() {
        let base = folder("target");
        let root = Root::open(&base.join("root")).unwrap();
        let read = |path: &str| {
            let mut text = String::new();
            root.file(path)
                .map(|(mut file, _)| file.read_to_string(&mut text).map(|_| text).unwrap())
        };
        for (path, want) in [
            ("/top", Ok("top")),
            ("//top", Ok("top")),
            ("/./top", Ok("top")),
            ("/a/b/deep", Ok("deep")),
            ("/a//b/./deep", Ok("deep")),
            ("/%74op", Ok("top")),
            ("/with%20space%25", Ok("space")),
            ("/..dots", Ok("dots")),
            ("/inside", Ok("deep")),
            ("/", Err(Missing)),
            ("/a", Err(Missing)),
            ("/a/", Err(Missing)),
            ("/nothing", Err(Missing)),
            ("/top/more", Err(Missing)),
            ("/fifo", Err(Missing)),
            ("/../secret", Err(Forbidden)),
            ("/a/../../secret", Err(Forbidden)),
            ("/a/../top", Err(Forbidden)),
            ("/%2e%2e/secret", Err(Forbidden)),
            ("/..%2fsecret", Err(Forbidden)),
            ("/%2e%2e%2fsecret", Err(Forbidden)),
            ("/outside", Err(Forbidden)),
            ("/absolute", Err(Forbidden)),
            ("/up/secret", Err(Forbidden)),
            ("/loop", Err(Forbidden)),
            ("/%252e%252e/secret", Err(Missing)),
            ("/..\\secret", Err(Missing)),
            ("top", Err(Malformed)),
            ("", Err(Malformed)),
            ("*", Err(Malformed)),
            ("/top%00", Err(Malformed)),
            ("/%", Err(Missing)),
            ("/%4", Err(Missing)),
            ("/%zz", Err(Missing)),
            ("/%ff", Err(Malformed)),
        ] {
            assert_eq!(read(path), want.map(str::to_owned), "{path}");
        }
        let long = format!("/{}", "x".repeat(5000));
        assert_eq!(read(&long), Err(Missing));
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn without_the_system_s_help_no_link_is_followed() {
        let base = folder("walk");
        let root = Root::open(&base.join("root")).unwrap();
        let open = |names: &[&str]| walk(&root.0, names).map(drop).map_err(refused);
        assert_eq!(open(&["top"]), Ok(()));
        assert_eq!(open(&["a", "b", "deep"]), Ok(()));
        for link in ["inside", "outside", "absolute"] {
            assert_eq!(open(&[link]), Err(Forbidden), "{link}");
        }
        assert_eq!(open(&["up", "secret"]), Err(Missing));
        assert_eq!(open(&[]), Err(Missing));
        fs::remove_dir_all(base).unwrap();
    }
}
