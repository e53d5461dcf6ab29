/* Reads a whole stream with XRANGE COUNT 1000 through hiredis and does nothing with it: what a fold is measured against.
 *
 * cc -O2 bench_xrange.c -lhiredis -o xrange
 * xrange HOST PORT STREAM  ->  {"entries": n, "seconds": s, "cpu_seconds": c}
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: xrange HOST PORT STREAM\n");
    return 2;
  }
  redisContext *c = redisConnect(argv[1], atoi(argv[2]));
  if (!c || c->err) {
    fprintf(stderr, "%s\n", c ? c->errstr : "out of memory");
    return 69;
  }
  char from[64] = "-";
  long long entries = 0;
  double start = now();
  for (;;) {
    redisReply *r = redisCommand(c, "XRANGE %s %s + COUNT 1000", argv[3], from);
    if (!r || r->type != REDIS_REPLY_ARRAY) {
      fprintf(stderr, "%s\n", r ? r->str : c->errstr);
      return 1;
    }
    size_t n = r->elements;
    entries += n;
    if (n > 0) snprintf(from, sizeof from, "(%s", r->element[n - 1]->element[0]->str);
    freeReplyObject(r);
    if (n < 1000) break;
  }
  printf("{\"entries\": %lld, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", entries, now() - start, cpu());
  redisFree(c);
  return 0;
}
