// One function per verb. Each answers its call, now or later.
#pragma once

#include "apiserver/services.h"

namespace atelier::apiserver {

void get_object(Services& services, const CallPtr& call);
void list_objects(Services& services, const CallPtr& call);
void watch_objects(Services& services, const CallPtr& call);
void create_object(Services& services, const CallPtr& call);
void update_object(Services& services, const CallPtr& call);  // PUT, of subresources too
void patch_object(Services& services, const CallPtr& call);
void delete_object(Services& services, const CallPtr& call);
void delete_objects(Services& services, const CallPtr& call);  // a collection
void create_review(Services& services, const CallPtr& call);
void answer_revision_diff(Services& services, const CallPtr& call);
void answer_plan(Services& services, const CallPtr& call);  // apiserver/plans/forecast_service.h

// /livez, /readyz, /healthz and one check below them.
void answer_health(Services& services, const CallPtr& call);
void answer_version(Services& services, const CallPtr& call);
// Discovery and OpenAPI.
void answer_documents(Services& services, const CallPtr& call);

// RFC 9110's date form, in GMT.
std::string http_date(Instant at);

// What a list or a watch is about, from its options.
Result<Selection> read_selection(const Call& call, const ListOptions& options);
// A refusal of list options: Kubernetes names the options, not the resource.
Failure options_failure(const Error& error);
// "resourceVersion" as a number; empty is 0.
Result<Revision> parse_revision(std::string_view text);
// A revision that the store has not reached in time.
Failure too_large_revision(Revision wanted, Revision current);

}  // namespace atelier::apiserver
