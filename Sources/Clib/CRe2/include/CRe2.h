#ifndef CRE2_H
#define CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A plain C face of RE2: linear in the text for every pattern, so a pattern from outside cannot hang its caller. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

/* Compiles `bytes`, read as UTF-8, with Perl's syntax and leftmost-first matching.
   `memory_max`: bytes that the program and the matcher's caches may take together.
   Returns NULL when it does not compile; then `error` holds the reason, cut to `error_capacity` and ended by 0. */
cre2_pattern *cre2_compile(const uint8_t *bytes, size_t count, int64_t memory_max, char *error, size_t error_capacity);

/* Whether the pattern occurs anywhere in the text. Any number of threads may call it at once.
   A match that would need more memory than `memory_max` falls back to a slower one of bounded memory, also linear. */
bool cre2_matches(const cre2_pattern *pattern, const uint8_t *bytes, size_t count);

/* Instructions of the compiled program: a match costs at most about this many steps for each byte. */
int cre2_program_size(const cre2_pattern *pattern);

/* Texts of which a match in an ASCII text has at least one, in lower case: literal parts of the pattern, one after the other and each ended
   by 0. `bytes` as for cre2_compile. Returns the bytes written to `out`; 0 when there are none, or they do not fit, or no short list is needed
   by every match. */
size_t cre2_required(const uint8_t *bytes, size_t count, int64_t memory_max, char *out, size_t capacity);

void cre2_free(cre2_pattern *pattern);

#ifdef __cplusplus
}
#endif

#endif
