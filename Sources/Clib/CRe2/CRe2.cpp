#include "CRe2.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

struct cre2_pattern {
    RE2 re2;
    cre2_pattern(const re2::StringPiece &text, const RE2::Options &options) : re2(text, options) {}
};

static re2::StringPiece piece(const uint8_t *bytes, size_t count) {
    // An empty Swift buffer may have no address; RE2 must not see a null pointer as "no text".
    return count == 0 ? re2::StringPiece("", 0) : re2::StringPiece(reinterpret_cast<const char *>(bytes), count);
}

static void report(const char *reason, size_t length, char *error, size_t capacity) {
    if (capacity == 0) return;
    size_t kept = std::min(length, capacity - 1);
    std::memcpy(error, reason, kept);
    error[kept] = 0;
}

static RE2::Options options(int64_t memory_max) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_longest_match(false);
    options.set_max_mem(memory_max);
    return options;
}

cre2_pattern *cre2_compile(const uint8_t *bytes, size_t count, int64_t memory_max, char *error, size_t error_capacity) {
    cre2_pattern *pattern = new (std::nothrow) cre2_pattern(piece(bytes, count), options(memory_max));
    if (pattern == nullptr) {
        report("out of memory", 13, error, error_capacity);
        return nullptr;
    }
    if (!pattern->re2.ok()) {
        report(pattern->re2.error().data(), pattern->re2.error().size(), error, error_capacity);
        delete pattern;
        return nullptr;
    }
    return pattern;
}

bool cre2_matches(const cre2_pattern *pattern, const uint8_t *bytes, size_t count) {
    return pattern->re2.Match(piece(bytes, count), 0, count, RE2::UNANCHORED, nullptr, 0);
}

int cre2_program_size(const cre2_pattern *pattern) { return pattern->re2.ProgramSize(); }

size_t cre2_required(const uint8_t *bytes, size_t count, int64_t memory_max, char *out, size_t capacity) {
    // Shorter ones stand in most texts, and save nothing.
    const int atom_bytes_min = 3;
    re2::FilteredRE2 filter(atom_bytes_min);
    int id = 0;
    if (filter.Add(piece(bytes, count), options(memory_max), &id) != RE2::NoError) return 0;
    std::vector<std::string> atoms;
    filter.Compile(&atoms);
    std::vector<int> unfiltered;
    filter.AllPotentials({}, &unfiltered);
    if (!unfiltered.empty()) return 0;
    size_t written = 0;
    for (const std::string &atom : atoms) {
        if (atom.find('\0') != std::string::npos || written + atom.size() + 1 > capacity) return 0;
        std::memcpy(out + written, atom.c_str(), atom.size() + 1);
        written += atom.size() + 1;
    }
    return written;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }
