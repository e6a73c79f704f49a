// Who answers writes. A store has one writer, and while that calls a Done or an AllDone, every
// other write waits: a callback hands its result over and returns. What decodes, admits or renders
// objects can check that it does not run there; a callback that takes long is logged and measured
// (atelier_store_answer_seconds).
#pragma once

namespace atelier::store {

// Whether this thread is inside a Done or an AllDone.
bool is_answering();

// While it lives, this thread calls callbacks of writes. They may write again inline.
class AnsweringScope {
  public:
    AnsweringScope();
    ~AnsweringScope();
    AnsweringScope(const AnsweringScope&) = delete;
    AnsweringScope& operator=(const AnsweringScope&) = delete;

  private:
    const bool before_;
};

}  // namespace atelier::store
