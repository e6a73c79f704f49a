// The documents that describe what is served: discovery, OpenAPI and the version.
#pragma once

#include <string>

#include "apiserver/documents/discovery.h"
#include "apiserver/documents/openapi.h"
#include "apiserver/request/call.h"

namespace atelier::apiserver {

// All documents are made once, by the constructor. Thread-safe; `catalog` and `clock` outlive it.
class Documents {
  public:
    struct Options {
        std::string version;     // of Atelier
        std::string kubernetes;  // "1.32.0": whose API this speaks
        std::string commit;      // of the source, when known
        std::string address;     // host:port, as clients reach this server
    };
    Documents(const Catalog& catalog, const Clock& clock, Options options);

    // By the endpoint of the call's route: one of discovery and OpenAPI.
    void answer(const CallPtr& call) const;
    void answer_version(const CallPtr& call) const;

  private:
    void answer_openapi_v3(Call& call) const;

    const Clock& clock_;
    const Options options_;
    const StaticAnswer root_;
    const Discovery discovery_;
    const OpenApi openapi_;
};

}  // namespace atelier::apiserver
