#include "store/answering.h"

#include <utility>

namespace atelier::store {
namespace {

thread_local bool answering = false;

}  // namespace

bool is_answering() {
    return answering;
}

AnsweringScope::AnsweringScope() : before_(std::exchange(answering, true)) {}

AnsweringScope::~AnsweringScope() {
    answering = before_;
}

}  // namespace atelier::store
