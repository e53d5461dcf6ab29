// The load generator of tools/bench: one thread, one epoll, so that it takes as little of the machine as it can.
//
//   bench_load ndjson    --port P --file F --count N [--connections C] [--ids]
//   bench_load websocket --port P --file F --count N [--connections C] [--window W] [--ids]
//   bench_load paced     --port P --file F --rate R --seconds S [--connections C] [--window W] [--ids] [--feed PATH] [--record PREFIX]
//
// F has one message a line; lines are sent round robin. --ids overwrites the value of "message_uuid" with a fresh id for every
// message sent; the line must have one. An answer counts only when it says that the message is in the log: WebSocket frames are
// read one by one, NDJSON summaries by their "accepted". Prints one line of JSON. Exit code 0 when it ran to its end, whatever
// the answers were; 1 when it could not.
//
// `paced` sends R messages a second through the WebSocket door for S seconds, follows the feed on a connection of its own, waits
// until the feed has brought what was acknowledged (at most 15 s), and writes to PREFIX.acks records of
// {ms, seq, sent ns, acknowledged ns} and to PREFIX.feed records of {ms, seq, seen ns}, all 64 bits, CLOCK_REALTIME.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    connections_max = 64,
    window_max = 1 << 16,
    out_bytes = 1 << 18,       // about what a socket takes at once
    frame_bytes_max = 1 << 22, // more than any message may have
    uuid_bytes = 36,
    stall_seconds_max = 60,    // no byte in either direction for this long: the server is stuck
    feed_seconds_max = 15,
};
static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

struct line {
    uint8_t *bytes;  // as sent: masked frame, or the line with its line feed
    size_t size;
    size_t head;     // bytes of the frame's header
    size_t id;       // offset of the id in the text; 0: none
};
struct connection {
    int fd;
    bool feed, writable, done;
    uint8_t *out, *in;
    size_t out_used, out_sent, in_used, in_size;
    uint64_t to_send, sent, answered;
    size_t next_line;
    int64_t *sent_at;  // ring of `window` send times
};

static struct {
    const char *mode, *file, *path, *feed, *record;
    int port, connections, window;
    uint64_t count;
    double rate, seconds;
    bool ids;
} options = {.path = "/v1/messages", .connections = 4, .window = 1024};

static struct line *lines;
static size_t line_count, longest;
static struct connection connections[connections_max + 1];
static int poller;
static uint64_t sent, acknowledged, duplicates, refused, feed_seen, id_seed, id_next;
static uint64_t last_ms, last_seq, feed_ms, feed_seq;
static char problem[512];
static FILE *acks_file, *feed_file;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "bench_load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static void *memory(size_t size) {
    void *bytes = calloc(1, size);
    if (!bytes) fail("out of memory");
    return bytes;
}

// MARK: Input

static size_t frame_head(uint8_t *out, uint8_t opcode, size_t size) {
    size_t at = 0;
    out[at++] = 0x80 | opcode;
    if (size < 126) {
        out[at++] = 0x80 | size;
    } else if (size < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = size >> 8;
        out[at++] = size;
    } else {
        out[at++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8) out[at++] = (uint64_t)size >> shift;
    }
    memcpy(out + at, mask, 4);
    return at + 4;
}

static void add_line(const char *text, size_t size, bool framed) {
    struct line line = {.bytes = memory(size + 16)};
    const char *key = memmem(text, size, "\"message_uuid\"", 14);
    if (key) {
        size_t at = key - text + 14;
        while (at < size && (text[at] == ' ' || text[at] == ':')) at++;
        if (at + 1 + uuid_bytes < size && text[at] == '"') line.id = at + 1;
    }
    if (options.ids && !line.id) fail("a line has no message_uuid to overwrite");
    if (framed) {
        line.head = frame_head(line.bytes, 1, size);
        for (size_t index = 0; index < size; index++) line.bytes[line.head + index] = text[index] ^ mask[index & 3];
        line.size = line.head + size;
    } else {
        memcpy(line.bytes, text, size);
        line.bytes[size] = '\n';
        line.size = size + 1;
    }
    lines = realloc(lines, (line_count + 1) * sizeof *lines);
    lines[line_count++] = line;
    if (line.size > longest) longest = line.size;
}

static void read_lines(bool framed) {
    FILE *file = fopen(options.file, "r");
    if (!file) fail("%s: %s", options.file, strerror(errno));
    char *text = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&text, &room, file)) > 0) {
        if (text[size - 1] == '\n') size--;
        if (size > 0) add_line(text, size, framed);
    }
    free(text);
    fclose(file);
    if (!line_count) fail("%s is empty", options.file);
}

// A version 4 id: 60 bits of this run, then a counter.
static void fresh_id(char *out) {
    uint64_t number = id_next++;
    snprintf(out, uuid_bytes + 1, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(id_seed >> 32), (unsigned)(id_seed >> 16 & 0xffff),
             (unsigned)(id_seed >> 4 & 0xfff), (unsigned)(number >> 48 & 0xfff), (unsigned long long)(number & 0xffffffffffff));
}

static void put_line(struct connection *one) {
    const struct line *line = &lines[one->next_line];
    uint8_t *out = one->out + one->out_used;
    memcpy(out, line->bytes, line->size);
    if (options.ids) {
        char id[uuid_bytes + 1];
        fresh_id(id);
        for (size_t index = 0; index < uuid_bytes; index++)
            out[line->head + line->id + index] = line->head ? id[index] ^ mask[(line->id + index) & 3] : id[index];
    }
    one->out_used += line->size;
    one->next_line = (one->next_line + 1) % line_count;
}

// MARK: Connections

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) fail("port %d: %s", options.port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void open_connection(struct connection *one, bool feed) {
    one->fd = dial();
    one->feed = feed;
    one->out = memory(out_bytes + longest);
    one->in_size = feed ? frame_bytes_max : 1 << 18;
    one->in = memory(one->in_size);
    one->sent_at = memory(options.window * sizeof *one->sent_at);
}

static void upgrade(struct connection *one, const char *path) {
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path);
    if (write(one->fd, text, size) != size) fail("%s: %s", path, strerror(errno));
    while (!memmem(one->in, one->in_used, "\r\n\r\n", 4)) {
        ssize_t got = one->in_used < sizeof text ? read(one->fd, one->in + one->in_used, sizeof text - one->in_used) : -1;
        if (got <= 0) fail("%s: no answer to the upgrade", path);
        one->in_used += got;
    }
    if (memcmp(one->in, "HTTP/1.1 101", 12)) fail("%s was not upgraded: %.*s", path, (int)strcspn((char *)one->in, "\r"), one->in);
    size_t head = (uint8_t *)memmem(one->in, one->in_used, "\r\n\r\n", 4) + 4 - one->in;
    memmove(one->in, one->in + head, one->in_used - head);
    one->in_used -= head;
}

static void watch(struct connection *one) {
    fcntl(one->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = one};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, one->fd, &event)) fail("epoll: %s", strerror(errno));
    one->writable = true;
}

/// Whether anything went out.
static bool flush_out(struct connection *one) {
    bool progress = false;
    while (one->writable && one->out_sent < one->out_used) {
        ssize_t size = send(one->fd, one->out + one->out_sent, one->out_used - one->out_sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EAGAIN) {
            one->writable = false;
        } else if (size < 0) {
            // An early refusal closes the connection while we still send; its answer says why.
            one->writable = false;
            one->to_send = one->sent;
            one->out_used = one->out_sent = 0;
            if (!*problem) snprintf(problem, sizeof problem, "sending: %s", strerror(errno));
        } else {
            one->out_sent += size;
            progress = true;
        }
    }
    if (one->out_sent == one->out_used) one->out_sent = one->out_used = 0;
    return progress;
}

// MARK: Answers

static void note(const char *what, const char *text, size_t size) {
    refused++;
    if (!*problem) snprintf(problem, sizeof problem, "%s%.*s", what, (int)(size < 400 ? size : 400), text);
}

/// Reads `"position":"0-1795321464321-0"`, the last one in the text: payloads stand before it.
static bool read_position(const uint8_t *text, size_t size, uint64_t *ms, uint64_t *seq) {
    static const char key[] = "\"position\":\"";
    const size_t length = sizeof key - 1;
    for (size_t at = size; at-- > 0;) {
        if (text[at] != '"' || at + length > size || memcmp(text + at, key, length)) continue;
        unsigned long long partition, first, second;
        char copy[64] = {0};
        memcpy(copy, text + at + length, size - at - length < 63 ? size - at - length : 63);
        if (sscanf(copy, "%llu-%llu-%llu", &partition, &first, &second) != 3) return false;
        *ms = first;
        *seq = second;
        return true;
    }
    return false;
}

static void take_answer(struct connection *one, const uint8_t *text, size_t size, int64_t at) {
    uint64_t ms, seq;
    if (one->feed) {
        if (!read_position(text, size, &ms, &seq)) return;
        feed_seen++;
        feed_ms = ms;
        feed_seq = seq;
        uint64_t record[3] = {ms, seq, at};
        if (feed_file) fwrite(record, sizeof record, 1, feed_file);
        return;
    }
    int64_t began = one->sent_at[one->answered % options.window];
    one->answered++;
    if (size < 16 || memcmp(text, "{\"message_uuid\":", 16) || !read_position(text, size, &ms, &seq)) return note("", (const char *)text, size);
    if (memmem(text, size, "\"duplicate\":true", 16)) duplicates++;
    acknowledged++;
    if (ms > last_ms || (ms == last_ms && seq > last_seq)) last_ms = ms, last_seq = seq;
    uint64_t record[4] = {ms, seq, began, at};
    if (acks_file) fwrite(record, sizeof record, 1, acks_file);
}

static void answer_ping(struct connection *one, const uint8_t *text, size_t size) {
    if (one->out_used || size > 125) return;  // busy: our own frames show that we live
    size_t head = frame_head(one->out, 10, size);
    for (size_t index = 0; index < size; index++) one->out[head + index] = text[index] ^ mask[index & 3];
    one->out_used = head + size;
    flush_out(one);
}

static void take_frames(struct connection *one, int64_t at) {
    size_t done = 0;
    while (one->in_used - done >= 2) {
        const uint8_t *in = one->in + done;
        size_t left = one->in_used - done, size = in[1] & 0x7f, head = 2;
        if (size == 126) {
            if (left < 4) break;
            size = in[2] << 8 | in[3];
            head = 4;
        } else if (size == 127) {
            if (left < 10) break;
            size = 0;
            for (int index = 2; index < 10; index++) size = size << 8 | in[index];
            head = 10;
        }
        if (head + size > one->in_size) fail("a frame of %zu bytes came in", size);
        if (left < head + size) break;
        switch (in[0]) {
        case 0x81: take_answer(one, in + head, size, at); break;
        case 0x89: answer_ping(one, in + head, size); break;
        case 0x8a: break;
        case 0x88:
            note(one->feed ? "the feed was closed: " : "closed: ", (const char *)in + head + 2, size < 2 ? 0 : size - 2);
            one->done = true;
            break;
        default: fail("a frame begins with the byte %02x", in[0]);
        }
        done += head + size;
    }
    memmove(one->in, one->in + done, one->in_used - done);
    one->in_used -= done;
}

static uint64_t number_after(const char *text, const char *key) {
    const char *found = strstr(text, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

static void take_summary(struct connection *one) {
    if (one->in_used == one->in_size) fail("the answer is too long");
    one->in[one->in_used] = 0;
    const char *text = (char *)one->in, *body = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\ncontent-length:");
    if (!body || !length || length > body) return;
    body += 4;
    if ((size_t)((const char *)one->in + one->in_used - body) < strtoull(length + 17, NULL, 10)) return;
    uint64_t ok = number_after(body, "\"accepted\":");
    acknowledged += ok;
    duplicates += number_after(body, "\"duplicates\":");
    if (ok < one->sent || memcmp(text, "HTTP/1.1 200", 12)) {
        note("", (const char *)one->in, one->in_used);
        refused += one->sent - ok - 1;
    }
    one->done = true;
}

/// Reads all there is; whether anything was.
static bool receive(struct connection *one, bool framed) {
    bool progress = false;
    while (true) {
        if (one->in_used == one->in_size) fail("an answer is too long");
        ssize_t size = read(one->fd, one->in + one->in_used, one->in_size - one->in_used);
        if (size < 0 && errno == EAGAIN) return progress;
        if (size <= 0) {
            if (!one->done) note("the connection ended", "", 0);
            one->done = true;
            return true;
        }
        progress = true;
        one->in_used += size;
        if (framed) take_frames(one, now(CLOCK_REALTIME)); else take_summary(one);
    }
}

// MARK: Sending

/// Fills and sends what the window and `allowed` more messages permit.
static bool pump(struct connection *one, bool framed, uint64_t *allowed) {
    bool progress = false;
    while (true) {
        int64_t at = framed && acks_file ? now(CLOCK_REALTIME) : 0;
        while (*allowed && one->sent < one->to_send && one->out_used < out_bytes && (!framed || one->sent - one->answered < (uint64_t)options.window)) {
            if (framed) one->sent_at[one->sent % options.window] = at;
            put_line(one);
            one->sent++;
            sent++;
            (*allowed)--;
        }
        if (one->out_sent == one->out_used || !flush_out(one)) return progress;
        progress = true;
    }
}

static void post_head(struct connection *one) {
    uint64_t size = 0;
    size_t at = one->next_line;
    for (uint64_t index = 0; index < one->to_send; index++, at = (at + 1) % line_count) size += lines[at].size;
    one->out_used = sprintf((char *)one->out,
                            "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nContent-Length: %llu\r\n\r\n",
                            options.path, (unsigned long long)size);
}

static bool feed_is_behind(void) { return feed_ms < last_ms || (feed_ms == last_ms && feed_seq < last_seq); }

static void run(bool framed) {
    const bool paced = options.rate > 0;
    const int64_t start = now(CLOCK_MONOTONIC);
    int64_t last_progress = start, last_answer = start, sending_end = 0;
    uint64_t most_behind = 0;
    size_t turn = 0;
    while (true) {
        int64_t time = now(CLOCK_MONOTONIC);
        uint64_t allowed = UINT64_MAX;
        if (paced) {
            double elapsed = (time - start) / 1e9;
            if (elapsed >= options.seconds && !sending_end) {
                sending_end = time;
                for (int index = 0; index < options.connections; index++) connections[index].to_send = connections[index].sent;
            }
            uint64_t due = options.rate * (elapsed < options.seconds ? elapsed : options.seconds);
            allowed = due > sent ? due - sent : 0;
            // What is due and does not fit into the windows shows that the door does not keep the pace.
            if (!sending_end && allowed > most_behind) most_behind = allowed;
        }
        bool open = false;
        turn++;
        for (int index = 0; index < options.connections; index++) {
            struct connection *one = &connections[(index + turn) % options.connections];
            if (one->done) continue;
            uint64_t share = paced ? allowed / options.connections + 1 : allowed;
            if (share > allowed) share = allowed;
            uint64_t before = share;
            if (pump(one, framed, &share)) last_progress = time;
            allowed -= before - share;
            if (framed && one->sent == one->to_send && one->answered == one->sent) {
                if (!paced || sending_end) one->done = true;
            }
            if (!one->done) open = true;
        }
        struct connection *feed = &connections[options.connections];
        if (!open && options.feed && !feed->done && feed_is_behind() && time - last_answer < feed_seconds_max * 1000000000ll) open = true;
        if (!open) break;
        if (time - last_progress > stall_seconds_max * 1000000000ll) {
            if (!*problem) snprintf(problem, sizeof problem, "nothing moved for %d s", stall_seconds_max);
            break;
        }
        struct epoll_event events[connections_max + 1];
        int count = epoll_wait(poller, events, connections_max + 1, paced ? 1 : 1000);
        for (int index = 0; index < count; index++) {
            struct connection *one = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) one->writable = true;
            if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && receive(one, framed)) {
                last_progress = now(CLOCK_MONOTONIC);
                if (!one->feed) last_answer = last_progress;
            }
        }
    }
    double seconds = (last_answer - start) / 1e9;
    printf("{\"sent\": %llu, \"acknowledged\": %llu, \"duplicates\": %llu, \"refused\": %llu, \"feed\": %llu, \"behind\": %llu, \"seconds\": %.6f, "
           "\"problem\": \"",
           (unsigned long long)sent, (unsigned long long)acknowledged, (unsigned long long)duplicates, (unsigned long long)refused,
           (unsigned long long)feed_seen, (unsigned long long)most_behind, seconds);
    for (const char *at = problem; *at; at++) {
        if (*at == '"' || *at == '\\') putchar('\\');
        putchar((unsigned char)*at < 0x20 ? ' ' : *at);
    }
    printf("\"}\n");
}

static void read_options(int count, char **words) {
    if (count < 2) fail("which mode? ndjson, websocket or paced");
    options.mode = words[1];
    for (int index = 2; index < count; index++) {
        const char *name = words[index];
        if (!strcmp(name, "--ids")) {
            options.ids = true;
            continue;
        }
        if (index + 1 == count) fail("%s needs a value", name);
        const char *value = words[++index];
        if (!strcmp(name, "--port")) options.port = atoi(value);
        else if (!strcmp(name, "--file")) options.file = value;
        else if (!strcmp(name, "--path")) options.path = value;
        else if (!strcmp(name, "--feed")) options.feed = value;
        else if (!strcmp(name, "--record")) options.record = value;
        else if (!strcmp(name, "--connections")) options.connections = atoi(value);
        else if (!strcmp(name, "--window")) options.window = atoi(value);
        else if (!strcmp(name, "--count")) options.count = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--rate")) options.rate = atof(value);
        else if (!strcmp(name, "--seconds")) options.seconds = atof(value);
        else fail("unknown option %s", name);
    }
    if (!options.file || !options.port) fail("--port and --file are needed");
    if (options.connections < 1 || options.connections > connections_max) fail("1 to %d connections", connections_max);
    if (options.window < 1 || options.window > window_max) fail("a window of 1 to %d", window_max);
}

static FILE *record_file(const char *suffix) {
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", options.record, suffix);
    FILE *file = fopen(path, "w");
    if (!file) fail("%s: %s", path, strerror(errno));
    return file;
}

int main(int count, char **words) {
    read_options(count, words);
    const bool framed = strcmp(options.mode, "ndjson"), paced = !strcmp(options.mode, "paced");
    if (framed && !paced && strcmp(options.mode, "websocket")) fail("unknown mode %s", options.mode);
    if (paced ? options.rate <= 0 || options.seconds <= 0 : options.count < (uint64_t)options.connections) fail("how many? --count, or --rate and --seconds");
    if (!paced) options.rate = 0;
    read_lines(framed);
    id_seed = (uint64_t)now(CLOCK_REALTIME) * 0x9e3779b97f4a7c15ull ^ (uint64_t)getpid() << 40;
    poller = epoll_create1(0);
    if (options.record) {
        acks_file = record_file("acks");
        feed_file = record_file("feed");
    }
    if (options.feed) {
        open_connection(&connections[options.connections], true);
        upgrade(&connections[options.connections], options.feed);
        watch(&connections[options.connections]);
    }
    for (int index = 0; index < options.connections; index++) {
        struct connection *one = &connections[index];
        open_connection(one, false);
        one->to_send = paced ? UINT64_MAX : options.count / options.connections + ((uint64_t)index < options.count % options.connections);
        one->next_line = line_count * index / options.connections;
        if (framed) upgrade(one, options.path); else post_head(one);
        watch(one);
    }
    run(framed);
    if (acks_file && (fclose(acks_file) || fclose(feed_file))) fail("records: %s", strerror(errno));
    return 0;
}
