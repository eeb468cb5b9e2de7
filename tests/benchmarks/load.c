/* SPDX-License-Identifier: GPL-3.0-or-later
 * load: a closed loop of HTTP/1.1 requests that accounts for every single one.
 *
 * Why our own: "no request failed" needs a generator that never retries or forgets. wrk reconnects after a clean
 * close before or within an answer and counts nothing; h2load gives a lost connection up for good, so the load
 * shrinks; oha reconnects uncounted and drops what is in flight at its deadline. Here each request begun ends in
 * exactly one outcome, the last ones are waited for, and requests == ok + failed is checked before anything is printed.
 *
 *   ok       a complete answer (its end proven by Content-Length, chunks or a status without a body) with 2xx or 3xx;
 *            for the polled static file: 200 only
 *   failed   anything else, by kind; a refused client waits 10 ms, so that an outage isn't counted at full speed
 *   resent   a GET on a *reused* connection that closed before the first byte of the answer may be sent once more on
 *            a new one (RFC 9110 9.2.2); its time counts from the first sending
 *
 * Three kinds of lanes, one connection each: main (measured), slow (always in flight), static (polled beside).
 * Stops at --seconds or --requests, whichever is first; with --stdin also at the end of standard input (the harness
 * is gone, or wants it), but then not before --at-least. Prints the accounts as JSON; --records writes each request as
 * little-endian {f64 end (epoch), u32 microseconds, u32 status, u16 value of --seen, u8 kind, u8 outcome, u32 0}:
 * percentiles, windows and series are made of these by load.py, after the load.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, BODY = 2048, STATUS_MAX = 1000, SEEN_MAX = 4096, SEEN_SIZE = 48 };
#define PAUSE 0.010        /* after a failure */
#define TICK 0.005         /* how often time limits and waiting lanes are looked at */

enum kind { MAIN, SLOW, STATIC, KINDS };
static const char *const kind_name[KINDS] = {"main", "slow", "static"};
enum outcome { OK, STATUS, CONNECT, RESET, EOF_BEFORE, EOF_WITHIN, TIMEOUT, MALFORMED, UNFRAMED, OUTCOMES };
static const char *const outcome_name[OUTCOMES] = {"ok", "status", "connect", "reset", "eof_before", "eof_within",
                                                   "timeout", "malformed", "unframed"};

static struct {
    const char *address, *host, *path, *post_path, *slow_path, *static_path, *seen, *records;
    int port, connections, close, post_share, slow, use_stdin, requests, at_least;
    double seconds, timeout, static_every;
} opt = {.address = "127.0.0.1", .port = 80, .host = "localhost", .path = "/", .post_path = "/", .connections = 32,
         .seconds = 10, .timeout = 30, .static_every = 0.05};

enum state { RESTING, CONNECTING, SENDING, HEAD, SIZED, CHUNKED };
enum chunk { SIZE, EXTENSION, DATA, DATA_CR, DATA_LF, TRAILER };

struct lane {
    enum kind kind;
    enum state state;
    int fd, post, reused, resent, closing;    /* reused: the connection has answered before this request */
    uint32_t events;
    double begun, due;                        /* monotonic; due: when a resting lane begins again */
    size_t sent, have, received;              /* have: bytes in head[]; received: bytes of this answer */
    uint64_t left;                            /* of a sized body or of the chunk */
    enum chunk chunk;
    int digits, line, status;
    char seen[SEEN_SIZE], head[HEAD_MAX + 1];
};

struct record { double end; uint32_t latency, status; uint16_t seen; uint8_t kind, outcome; uint32_t none; };
_Static_assert(sizeof(struct record) == 24, "load.py reads 24 bytes a request");

struct tally { uint64_t begun, resent, opened, idle_closed, by[OUTCOMES], status[STATUS_MAX]; };

static struct lane *lanes;
static int lane_count, epoll_fd;
static char *wire[KINDS + 1];                 /* ready-made requests; the last one is the POST */
static size_t wire_size[KINDS + 1];
static struct sockaddr_in server;
static struct record *records;
static size_t record_count, record_room;
static struct tally tally[KINDS];
static char seen[SEEN_MAX][SEEN_SIZE];        /* values of the --seen header; 0 is none */
static int seen_count = 1;
static double clock_offset;                   /* epoch - monotonic */
static volatile sig_atomic_t signalled;
static int stopping, input_ended;

static void begin(struct lane *l, double now);

static double clock_read(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) { perror(what); exit(2); }

static void refuse(const char *what, const char *why) {
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(2);
}

/* --- one request's end ------------------------------------------------------------------------------------------ */

static uint16_t seen_number(const char *value) {
    for (int i = seen_count - 1; i >= 0; i--)
        if (!strcmp(seen[i], value)) return (uint16_t)i;
    if (seen_count == SEEN_MAX) refuse(opt.seen, "too many values");
    strcpy(seen[seen_count], value);
    return (uint16_t)seen_count++;
}

static void drop(struct lane *l) {
    if (l->fd >= 0) close(l->fd);             /* also leaves the epoll set */
    l->fd = -1;
    l->events = 0;
    l->reused = 0;
}

static void finish(struct lane *l, enum outcome outcome, double now) {
    struct tally *t = &tally[l->kind];
    if (record_count == record_room) {
        record_room = record_room ? 2 * record_room : 1 << 16;
        if (!(records = realloc(records, record_room * sizeof *records))) die("records");
    }
    records[record_count++] = (struct record){
        .end = now + clock_offset, .latency = (uint32_t)((now - l->begun) * 1e6), .status = (uint32_t)l->status,
        .seen = seen_number(l->seen), .kind = (uint8_t)l->kind, .outcome = (uint8_t)outcome};
    t->by[outcome]++;
    if (outcome == STATUS) t->status[l->status]++;
    if (outcome > STATUS || opt.close || l->closing) drop(l);
    else l->reused = 1;
    l->state = RESTING;
    l->due = outcome == OK ? now : now + PAUSE;
    if (l->kind == STATIC && l->due < l->begun + opt.static_every) l->due = l->begun + opt.static_every;
    if (l->due <= now) begin(l, now);
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

static void watch(struct lane *l, uint32_t events) {
    struct epoll_event e = {.events = events, .data.ptr = l};
    if (l->events == events) return;
    if (epoll_ctl(epoll_fd, l->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, l->fd, &e)) die("epoll_ctl");
    l->events = events;
}

static void send_on(struct lane *l) {
    int w = l->post ? KINDS : (int)l->kind;
    while (l->sent < wire_size[w]) {
        ssize_t n = send(l->fd, wire[w] + l->sent, wire_size[w] - l->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) { watch(l, EPOLLIN | EPOLLOUT); return; }
        if (n < 0) { l->closing = 1; break; }  /* closed on us: what can still be read says how it ended */
        l->sent += (size_t)n;
    }
    l->state = HEAD;
    watch(l, EPOLLIN);
}

static void open_connection(struct lane *l, double now) {
    int one = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) die("socket");
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tally[l->kind].opened++;
    l->state = CONNECTING;
    if (connect(l->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) finish(l, CONNECT, now);
    else watch(l, EPOLLOUT);
}

static void prepare(struct lane *l) {
    l->sent = l->have = l->received = 0;
    l->closing = l->status = 0;
    *l->seen = 0;
    l->state = SENDING;
}

static int may_begin(enum kind kind) {
    if (stopping) return 0;
    if (kind == MAIN && opt.requests && tally[MAIN].begun >= (uint64_t)opt.requests) stopping = 1;
    return !stopping;
}

static void begin(struct lane *l, double now) {
    static int share;
    if (!may_begin(l->kind)) return;
    tally[l->kind].begun++;
    l->post = 0;
    if (l->kind == MAIN && (share += opt.post_share) >= 100) { share -= 100; l->post = 1; }
    l->begun = now;
    l->resent = 0;
    prepare(l);
    if (l->fd < 0) open_connection(l, now);
    else send_on(l);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static void lost(struct lane *l, int reset, double now) {
    if (l->state == RESTING) { tally[l->kind].idle_closed++; drop(l); return; }
    if (!l->received && l->reused && !l->post && !l->resent) {
        tally[l->kind].resent++;
        drop(l);
        prepare(l);
        l->resent = 1;
        open_connection(l, now);
        return;
    }
    finish(l, reset ? RESET : l->received ? EOF_WITHIN : EOF_BEFORE, now);
}

static int header_is(const char *line, const char *name, const char **value) {
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) || line[n] != ':') return 0;
    *value = line + n + 1 + strspn(line + n + 1, " \t");
    return 1;
}

/* The head is whole and NUL-terminated. Returns OK, or why it can't be followed. */
static enum outcome read_head(struct lane *l) {
    int minor, sized = 0, chunked = 0;
    const char *v;
    char *save, *line = strtok_r(l->head, "\r\n", &save), *end;
    if (!line || sscanf(line, "HTTP/1.%1d %3d", &minor, &l->status) != 2 || l->status < 200) return MALFORMED;
    l->closing |= minor == 0;
    l->left = 0;
    while ((line = strtok_r(NULL, "\r\n", &save))) {
        if (header_is(line, "Content-Length", &v)) {
            l->left = strtoull(v, &end, 10);
            if (sized++ || end == v || *end) return MALFORMED;
        } else if (header_is(line, "Transfer-Encoding", &v)) {
            if (strcasecmp(v, "chunked")) return MALFORMED;
            chunked = 1;
        } else if (header_is(line, "Connection", &v)) {
            l->closing |= strcasestr(v, "close") != NULL;
        } else if (opt.seen && header_is(line, opt.seen, &v)) {
            size_t i = 0;
            for (; v[i] && i < sizeof l->seen - 1; i++)
                l->seen[i] = v[i] < ' ' || v[i] > '~' || v[i] == '"' || v[i] == '\\' ? '?' : v[i];
            l->seen[i] = 0;
        }
    }
    if (sized && chunked) return MALFORMED;
    if (l->status == 204 || l->status == 304) l->left = 0;
    else if (!sized && !chunked) return UNFRAMED;
    l->state = chunked ? CHUNKED : SIZED;
    l->chunk = SIZE;
    l->digits = 0;
    return OK;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Consumes chunks; 1 when the last trailer is over, 0 for more, -1 when it isn't chunked coding. */
static int read_chunks(struct lane *l, const char **p, const char *end) {
    while (*p < end) {
        char c = **p;
        if (l->chunk == DATA) {
            uint64_t n = (uint64_t)(end - *p) < l->left ? (uint64_t)(end - *p) : l->left;
            *p += n;
            if (!(l->left -= n)) l->chunk = DATA_CR;
            continue;
        }
        ++*p;
        if (l->chunk == SIZE && hex(c) >= 0) {
            if (l->digits++ == 8) return -1;
            l->left = l->left * 16 + (uint64_t)hex(c);
        } else if (l->chunk == SIZE || l->chunk == EXTENSION) {
            if (!l->digits || (l->chunk == SIZE && c != '\r' && c != ';')) return -1;
            l->chunk = c != '\n' ? EXTENSION : l->left ? DATA : TRAILER;
            l->line = 0;
        } else if (l->chunk == DATA_CR || l->chunk == DATA_LF) {
            if (c != (l->chunk == DATA_CR ? '\r' : '\n')) return -1;
            l->digits = 0;
            l->chunk = l->chunk == DATA_CR ? DATA_LF : SIZE;
        } else if (c == '\n') {
            if (!l->line) return 1;
            l->line = 0;
        } else l->line += c != '\r';
    }
    return 0;
}

static void take(struct lane *l, const char *p, size_t size, double now) {
    const char *end = p + size;
    int done = 0;
    l->received += size;
    if (l->state == HEAD || l->state == SENDING) {
        size_t before = l->have, n = size < HEAD_MAX - before ? size : HEAD_MAX - before;
        memcpy(l->head + before, p, n);
        l->have += n;
        l->head[l->have] = 0;
        char *blank = memmem(l->head, l->have, "\r\n\r\n", 4);
        if (!blank && l->have < HEAD_MAX) return;
        if (!blank || memchr(l->head, 0, (size_t)(blank - l->head))) { finish(l, MALFORMED, now); return; }
        p += (size_t)(blank + 4 - l->head) - before;
        l->closing |= l->state == SENDING;    /* answered before it had the whole request */
        *blank = 0;
        enum outcome bad = read_head(l);
        if (bad) { finish(l, bad, now); return; }
    }
    if (l->state == CHUNKED) done = read_chunks(l, &p, end);
    else {
        uint64_t n = (uint64_t)(end - p) < l->left ? (uint64_t)(end - p) : l->left;
        p += n;
        done = !(l->left -= n);
    }
    if (done < 0 || (done && p < end)) finish(l, MALFORMED, now);   /* bytes behind the answer: not an answer either */
    else if (done) finish(l, l->status == 200 || (l->status < 400 && l->kind != STATIC) ? OK : STATUS, now);
}

static void on_event(struct lane *l, uint32_t events, double now) {
    static char buffer[65536];
    if (l->fd < 0) return;
    if (l->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) { finish(l, CONNECT, now); return; }
        l->state = SENDING;
        send_on(l);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(l->fd, buffer, sizeof buffer, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) n = 0;
        else if (n <= 0 || l->state == RESTING) { lost(l, n < 0, now); return; }
        else { take(l, buffer, (size_t)n, now); return; }
    }
    if (l->state == SENDING && events & EPOLLOUT) send_on(l);
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

static void on_signal(int signal) { (void)signal; signalled = 1; }

static int tick(double now, double start) {       /* lanes still waiting for an answer */
    int busy = 0;
    if (now - start >= opt.seconds || signalled) stopping = 1;
    if (input_ended && tally[MAIN].begun >= (uint64_t)opt.at_least) stopping = 1;
    for (struct lane *l = lanes; l < lanes + lane_count; l++) {
        if (l->state == RESTING && now >= l->due) begin(l, now);
        else if (l->state != RESTING && now - l->begun > opt.timeout) finish(l, TIMEOUT, now);
        busy += l->state != RESTING;
    }
    return busy;
}

static void watch_input(void) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &e)) die("--stdin needs a pipe");
}

static void run(void) {
    struct epoll_event events[256];
    char ignored[256];
    double start = clock_read(CLOCK_MONOTONIC), ticked = start;
    tick(start, start);
    for (;;) {
        int n = epoll_wait(epoll_fd, events, 256, (int)(TICK * 1000));
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr) on_event(events[i].data.ptr, events[i].events, clock_read(CLOCK_MONOTONIC));
            else if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) {
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
                input_ended = 1;
            }
        double now = clock_read(CLOCK_MONOTONIC);
        if (now - ticked < TICK && n) continue;
        ticked = now;
        if (!tick(now, start) && stopping) return;
    }
}

/* --- the report ------------------------------------------------------------------------------------------------- */

static void report_kind(enum kind kind) {
    const struct tally *t = &tally[kind];
    const char *comma = "";
    uint64_t failed = 0;
    for (int o = STATUS; o < OUTCOMES; o++) failed += t->by[o];
    if (t->begun != t->by[OK] + failed) {
        fprintf(stderr, "%s: %lu begun, %lu ended\n", kind_name[kind], t->begun, t->by[OK] + failed);
        exit(3);
    }
    printf("\"%s\": {\"requests\": %lu, \"ok\": %lu, \"failed\": %lu, \"failures\": {", kind_name[kind], t->begun,
           t->by[OK], failed);
    for (int s = 0; s < STATUS_MAX; s++)
        if (t->status[s]) { printf("%s\"%d\": %lu", comma, s, t->status[s]); comma = ", "; }
    for (int o = CONNECT; o < OUTCOMES; o++)
        if (t->by[o]) { printf("%s\"%s\": %lu", comma, outcome_name[o], t->by[o]); comma = ", "; }
    printf("}, \"resent\": %lu, \"opened\": %lu, \"idle_closed\": %lu}", t->resent, t->opened, t->idle_closed);
}

static void report(double started) {
    FILE *f;
    printf("{\"started\": %.6f, \"ended\": %.6f", started, clock_read(CLOCK_MONOTONIC) + clock_offset);
    for (int k = 0; k < KINDS; k++) { printf(",\n "); report_kind((enum kind)k); }
    printf(",\n \"seen\": [\"\"");
    for (int i = 1; i < seen_count; i++) printf(", \"%s\"", seen[i]);
    printf("]}\n");
    if (opt.records && (!(f = fopen(opt.records, "wb")) ||
                        fwrite(records, sizeof *records, record_count, f) != record_count || fclose(f))) die(opt.records);
}

/* --- options ---------------------------------------------------------------------------------------------------- */

static void compose(int which, const char *method, const char *path, size_t body) {
    char length[64] = "", *filler = calloc(1, body + 1);
    memset(filler, 'x', body);
    if (body) snprintf(length, sizeof length, "Content-Type: text/plain\r\nContent-Length: %zu\r\n", body);
    int n = asprintf(&wire[which], "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: backstage-load\r\n%s%s\r\n%s", method, path,
                     opt.host, length, opt.close ? "Connection: close\r\n" : "", filler);
    if (n < 0) die("compose");
    wire_size[which] = (size_t)n;
    free(filler);
}

static const struct wish { const char *name; const char **text; int *whole; double *number, least, most; } wishes[] = {
    {"address", &opt.address, 0, 0, 0, 0}, {"port", 0, &opt.port, 0, 1, 65535}, {"host", &opt.host, 0, 0, 0, 0},
    {"path", &opt.path, 0, 0, 0, 0}, {"connections", 0, &opt.connections, 0, 0, 2000},
    {"post-path", &opt.post_path, 0, 0, 0, 0}, {"post-share", 0, &opt.post_share, 0, 0, 100},
    {"slow-path", &opt.slow_path, 0, 0, 0, 0}, {"slow", 0, &opt.slow, 0, 0, 1000},
    {"static-path", &opt.static_path, 0, 0, 0, 0}, {"static-every", 0, 0, &opt.static_every, 0.001, 60},
    {"seconds", 0, 0, &opt.seconds, 0.01, 3600}, {"requests", 0, &opt.requests, 0, 1, 1e9},
    {"at-least", 0, &opt.at_least, 0, 0, 1e9}, {"timeout", 0, 0, &opt.timeout, 0.01, 600},
    {"seen", &opt.seen, 0, 0, 0, 0}, {"records", &opt.records, 0, 0, 0, 0}, {"close", 0, &opt.close, 0, 1, 0},
    {"stdin", 0, &opt.use_stdin, 0, 1, 0},    /* least above most: a flag without a value */
};
enum { WISHES = sizeof wishes / sizeof *wishes };

static void options(int argc, char **argv) {
    struct option longs[WISHES + 1] = {0};
    for (int i = 0; i < WISHES; i++) longs[i] = (struct option){wishes[i].name, wishes[i].least <= wishes[i].most, 0, 1};
    for (int i, o; (o = getopt_long(argc, argv, "", longs, &i)) != -1;) {
        if (o != 1) exit(2);
        const struct wish *w = &wishes[i];
        char *end = "";
        double value = w->text || !longs[i].has_arg ? 1 : strtod(optarg, &end);
        if (w->text) *w->text = optarg;
        else if (longs[i].has_arg && (end == optarg || *end || !(value >= w->least && value <= w->most)))
            refuse(optarg, "no number, or out of bounds");
        else if (w->whole) *w->whole = (int)value;
        else *w->number = value;
    }
    if (optind < argc) refuse(argv[optind], "unknown argument");
    if (opt.slow && !opt.slow_path) refuse("--slow", "needs --slow-path");
}

int main(int argc, char **argv) {
    options(argc, argv);
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    if (inet_pton(AF_INET, opt.address, &server.sin_addr) != 1) refuse(opt.address, "not an IPv4 address");
    compose(MAIN, "GET", opt.path, 0);
    compose(SLOW, "GET", opt.slow_path ? opt.slow_path : "/", 0);
    compose(STATIC, "GET", opt.static_path ? opt.static_path : "/", 0);
    compose(KINDS, "POST", opt.post_path, BODY);
    lane_count = opt.connections + opt.slow + (opt.static_path != NULL);
    lanes = calloc((size_t)lane_count + 1, sizeof *lanes);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!lanes || epoll_fd < 0) die("start");
    for (int i = 0; i < lane_count; i++) {
        lanes[i].fd = -1;
        lanes[i].kind = i < opt.connections ? MAIN : i < opt.connections + opt.slow ? SLOW : STATIC;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (opt.use_stdin) watch_input();
    clock_offset = clock_read(CLOCK_REALTIME) - clock_read(CLOCK_MONOTONIC);
    double started = clock_read(CLOCK_REALTIME);
    run();
    report(started);
    return 0;
}
