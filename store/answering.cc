#include "store/answering.h"

#include <utility>

namespace atelier::store {
namespace {

// Aligned as the section that follows it in a binary. mold 1.10 counts this one among what becomes
// read-only at the start; when it lies at the end of a page that is not mapped, the program does
// not start.
alignas(8) thread_local bool answering = false;

}  // namespace

bool is_answering() {
    return answering;
}

AnsweringScope::AnsweringScope() : before_(std::exchange(answering, true)) {}

AnsweringScope::~AnsweringScope() {
    answering = before_;
}

}  // namespace atelier::store
