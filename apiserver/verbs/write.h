// What all writes have in common: admission, the race for an object, and the answer.
#pragma once

#include <functional>

#include "apiserver/verbs/services.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {

// Objects above this are refused: they would burden every list and watch.
inline constexpr std::size_t most_object_bytes = 3u << 19;
// How often a write without a precondition is done again when others were faster.
inline constexpr int most_attempts = 32;

// What a change makes of the state it finds. Called again with a newer state when somebody else
// wrote in between, unless `conditional`.
struct Mutation {
    std::function<Result<json::Document>(const store::Object& old, json::Document current)> make;
    // The client named the state it knows: a race is its conflict, not ours to repeat.
    bool conditional = false;
};

// Changes the object of the call and answers it with the outcome.
void change_object(Services& services, const CallPtr& call, Mutation mutation);

// Admits and stores a new object and answers with 201.
void store_new_object(Services& services, const CallPtr& call,
                      std::shared_ptr<const json::Document> object,
                      std::shared_ptr<const std::vector<std::string>> duplicates);

void answer_object(Services& services, Call& call, int status, const store::ObjectPtr& object);
// The answer of a dry run: the object as it would be, with the revision it has now.
void answer_dry_run(Services& services, Call& call, int status, const crds::Body& body,
                    Revision revision);

// An answer of the store about a write that did not succeed. When the connection to the database
// was lost, nobody knows whether the write was stored: the message says so.
Error write_error(Error error);

// Whether the object can be stored so that it can be read, changed and deleted again:
// Code::too_large above most_object_bytes, Code::invalid when the parser would refuse to
// read it back.
Result<crds::Body> encode_checked(const json::Value& object);

}  // namespace atelier::apiserver
