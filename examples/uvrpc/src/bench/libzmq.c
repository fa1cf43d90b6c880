/* An echo through libzmq: without arguments a ROUTER that sends back what comes, else a DEALER that sends
   messages of SIZE bytes to ADDRESS, at most WINDOW of them unanswered. For each line with a number it
   sends so many, and says how many nanoseconds all and each took, as 64-bit words. No header is needed:
   this is all of the library's stable interface that it uses. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct { void *opaque[8]; } zmq_msg_t;
void *zmq_ctx_new(void);
void *zmq_socket(void *, int);
int zmq_bind(void *, const char *);
int zmq_connect(void *, const char *);
int zmq_setsockopt(void *, int, const void *, size_t);
int zmq_getsockopt(void *, int, void *, size_t *);
int zmq_msg_init(zmq_msg_t *);
int zmq_msg_init_size(zmq_msg_t *, size_t);
int zmq_msg_copy(zmq_msg_t *, zmq_msg_t *);
int zmq_msg_close(zmq_msg_t *);
int zmq_msg_more(zmq_msg_t *);
int zmq_msg_recv(zmq_msg_t *, void *, int);
int zmq_msg_send(zmq_msg_t *, void *, int);
void *zmq_msg_data(zmq_msg_t *);
size_t zmq_msg_size(zmq_msg_t *);

enum { DEALER = 5, ROUTER = 6, SNDMORE = 2, SNDHWM = 23, RCVHWM = 24, LAST_ENDPOINT = 32 };

static void *make(int kind) {
    void *s = zmq_socket(zmq_ctx_new(), kind);
    int none = 0;
    zmq_setsockopt(s, SNDHWM, &none, sizeof none);
    zmq_setsockopt(s, RCVHWM, &none, sizeof none);
    return s;
}

static void *end_with_stdin(void *unused) {
    char byte;
    while (read(0, &byte, 1) > 0) {}
    _exit(0);
    return unused;
}

static int serve(void) {
    void *s = make(ROUTER);
    char address[256];
    size_t len = sizeof address;
    pthread_t thread;
    if (zmq_bind(s, "tcp://127.0.0.1:*") || zmq_getsockopt(s, LAST_ENDPOINT, address, &len)) return 1;
    printf("listening on %s\n", address);
    fflush(stdout);
    pthread_create(&thread, 0, end_with_stdin, 0);
    for (;;) {
        zmq_msg_t m;
        int more;
        do {
            zmq_msg_init(&m);
            if (zmq_msg_recv(&m, s, 0) < 0) return 1;
            more = zmq_msg_more(&m);
            if (zmq_msg_send(&m, s, more ? SNDMORE : 0) < 0) return 1;
        } while (more);
    }
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int count, char **args) {
    if (count < 4) return serve();
    size_t window = strtoul(args[2], 0, 10), size = strtoul(args[3], 0, 10);
    uint64_t *begun = calloc(window, sizeof *begun);
    void *s = make(DEALER);
    zmq_msg_t data, m;
    char line[32];
    zmq_msg_init_size(&data, size);
    memset(zmq_msg_data(&data), 7, size);
    if (!begun || zmq_connect(s, args[1])) return 1;
    while (fgets(line, sizeof line, stdin)) {
        size_t total = strtoul(line, 0, 10), sent = 0, got = 0;
        uint64_t *took = malloc((total + 1) * sizeof *took), start = now();
        if (!took) return 1;
        while (got < total) {
            if (sent < total && sent - got < window) {
                begun[sent++ % window] = now();
                zmq_msg_init(&m);
                if (zmq_msg_send(&m, s, SNDMORE) < 0) return 1;
                /* Another handle on the same bytes: nothing is copied here. */
                zmq_msg_init(&m);
                zmq_msg_copy(&m, &data);
                if (zmq_msg_send(&m, s, 0) < 0) return 1;
                continue;
            }
            size_t len;
            int more;
            do {
                zmq_msg_init(&m);
                if (zmq_msg_recv(&m, s, 0) < 0) return 1;
                more = zmq_msg_more(&m);
                len = zmq_msg_size(&m);
                zmq_msg_close(&m);
            } while (more);
            if (len != size) return 1;
            took[1 + got] = now() - begun[got % window];
            got++;
        }
        took[0] = now() - start;
        fwrite(took, sizeof *took, total + 1, stdout);
        fflush(stdout);
        free(took);
    }
    _exit(0);
}
