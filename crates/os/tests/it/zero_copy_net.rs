//! `ZeroCopySender` in networks of its own, where the machine lets us make them: a kernel with little
//! room for notifications, and a peer that is not on this machine as far as addresses tell.

use super::zero_copy::{ALWAYS, block, connect, eventually, read_all};
use aqueduct_os::{ZeroCopyAnswer, ZeroCopySender};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_testkit::{pattern, skip};
use std::{
    env,
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::Duration,
};

/// What a test is to be when it runs itself.
const ROLE: &str = "AQUEDUCT_ZERO_COPY_ROLE";

/// Runs `script` in a network of its own, with the command that runs `test` again as `"$0" "$@"`. It exits
/// with 77 where the machine does not let it.
fn in_own_network(test: &str, script: &str) {
    let may = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).output();
    if !may.is_ok_and(|may| may.status.success()) {
        return skip("no network of our own: no unshare, no ip, or not permitted");
    }
    let own = env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["-n", "sh", "-c", script]).arg(own).args(["--exact", "--nocapture", test]);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    println!("{}", String::from_utf8_lossy(&said));
    match output.status.code() {
        Some(77) => skip("no such network here"),
        code => assert_eq!(code, Some(0)),
    }
}

#[test]
fn a_kernel_without_room_for_notifications_is_sent_to_plainly() {
    if env::var_os(ROLE).is_none() {
        let script = "ip link set lo up && echo 3000 > /proc/sys/net/core/optmem_max || exit 77
                      AQUEDUCT_ZERO_COPY_ROLE=send exec \"$0\" \"$@\"";
        let test = "zero_copy_net::a_kernel_without_room_for_notifications_is_sent_to_plainly";
        return in_own_network(test, script);
    }
    let pool = Pool::new();
    let (socket, peer) = connect();
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    for _ in 0..5 {
        // Half a mebibyte is what the kernel joins to one notification.
        sender.send(&mut Sequence::from(block(&pool, 700_000, 1))).unwrap();
    }
    let stats = sender.stats();
    println!("{stats:?}");
    assert!(stats.no_room > 0 && stats.zero_copy_bytes > 0 && stats.plain_bytes > 0, "{stats:?}");
    drop(sender);
    assert!(read_all(peer) == vec![1; 3_500_000]);
    eventually("the blocks' return", || pool.outstanding() == 0);
}

const PEER: &str = "10.77.0.2:7077";

/// Two networks and a cable: one end here, the other there.
const CABLE: &str = r#"
    ip link set lo up
    ip link add near type veth peer name far || exit 77
    unshare -n sleep 20 &
    there=$!
    until [ "$(readlink /proc/$there/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
    ip link set far netns $there && ip addr add 10.77.0.1/24 dev near && ip link set near up || exit 77
    nsenter -t $there -n sh -c 'ip addr add 10.77.0.2/24 dev far && ip link set far up' || exit 77
    AQUEDUCT_ZERO_COPY_ROLE=receive nsenter -t $there -n "$0" "$@" &
    receiver=$!
    AQUEDUCT_ZERO_COPY_ROLE=send "$0" "$@"
    sent=$?
    wait $receiver
    received=$?
    kill $there
    [ $sent = 0 ] && [ $received = 0 ]
"#;

#[test]
fn a_peer_that_is_not_local_is_tried_until_the_kernel_copies() {
    match env::var(ROLE).as_deref() {
        Err(_) => in_own_network(
            "zero_copy_net::a_peer_that_is_not_local_is_tried_until_the_kernel_copies",
            CABLE,
        ),
        Ok("receive") => {
            let peer = TcpListener::bind(PEER).unwrap().accept().unwrap().0;
            assert!(read_all(peer) == pattern(4 << 20, 3));
        }
        Ok(_) => send_over_cable(),
    }
}

fn send_over_cable() {
    let mut socket = None;
    eventually("the peer", || {
        socket = TcpStream::connect(PEER).ok();
        socket.is_some()
    });
    let pool = Pool::new();
    let mut sender = ZeroCopySender::new(socket.unwrap()).unwrap();
    for part in pattern(4 << 20, 3).chunks(256 * 1024) {
        let mut block = pool.get(part.len());
        block.extend_from_slice(part);
        sender.send(&mut Sequence::from(block)).unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    assert!(sender.settle(Some(Duration::from_secs(10))).unwrap());
    assert_eq!(pool.outstanding(), 0);
    println!("over veth: {:?}, {:?}", sender.answer(), sender.stats());
    assert!(sender.stats().zero_copy_bytes >= 256 * 1024, "it was not tried");
    if sender.answer() == ZeroCopyAnswer::Copied {
        assert!(sender.stats().plain_bytes > 0, "it was not switched off");
    }
}
