// /api/v1: what the operator asks for over HTTP. Parameters are query values; answers are JSON and
// never kept. Errors are the specification's bodies.
//
//   GET    history?repository=&tag=&before=&n=   {"repository", "tag", "changes": [{"sequence",
//                        "time", "cause", "who", "from", "to", "held"}], "next"}; newest first,
//                        from and to are digests or null; `held`: `to` can still be pulled;
//                        `next`, while there are older ones: the value of `before` for them
//   POST   rollback?repository=&tag=&digest=     {"repository", "tag", "digest"}; without digest:
//                        to the one before
//   DELETE repositories?name=                    204
//   GET    read-only                             {"read_only": bool}
//   PUT    read-only  {"read_only": bool}        the same
//   GET    usage?prefix=&last=&n=                {"blobs", "bytes", "repositories": [{"name",
//                        "bytes", "links", "tags"}]}; Link as in other lists
//   POST   collections?dry_run=&delete_untagged=&grace= 202 {"job": id} and Location; 409 while one
//                        runs. Flags are true or false, grace is a duration; as configured when
//                        absent
//   POST   adoptions?directory=&files=link|copy&repository=          likewise
//   POST   exports?repository=&reference=&reference=&directory=      likewise; all tags without
//                        reference
//   POST   wants?file=&repository=GLOB&repository=GLOB               likewise; all without one.
//                        Here and below a list may stand in the body instead: {"repositories": []}
//   POST   bundles?directory=&rule=|reference=&reference=&want=&again=&volume_size=&parity=
//                        likewise; or {"references": []}; of rule, reference, again one is needed
//   POST   bundle-applications?path=&path=&ask=  likewise; or {"paths": []}; or abandon=ID
//   POST   warmings  {"references": [], "platforms": [], "referrers": bool}   likewise; see
//                        src/api/warming_work.hpp
//   GET    site                                  {"id", "name", "key", "key_id"}
//   GET    replication                           {"rules": [{"rule", "from", "to", "state",
//                        "last_started", "last_ended", "last_error", "position", "newest",
//                        "lag_seconds", "clock_ahead_seconds", "waiting", "waiting_bytes",
//                        "repaired", "total": {...}}]}
//   GET    replication/waiting?rule=             {"waiting": [{"rule", "repository", "reference",
//                        "tries", "next_try", "error"}]}: what failed and is tried again
//   GET    peers                                 {"peers": [{"name", "kind", "urls", "reachable",
//                        "error", "site", "newest", "manifests_allowed", "rules": [{"rule",
//                        "state", "waiting", "position", "lag_seconds"}]}]}; each is asked now
//   POST   syncs?rule=&dry_run=                  202 as above; one run of a rule at a time
//   GET    jobs                                  {"jobs": [job without lines]}
//   GET    jobs/<id>?wait=SECONDS&line=N         {"id", "kind", "state": "running"|"done"|
//                        "failed"|"stopped", "started", "ended", "done", "total", "unit",
//                        "summary", "error", "lines", "next_line"}; waits for a change; lines from
//                        N on. What summary and lines are: include/entrepot/api/work.hpp
//   DELETE jobs/<id>                             202; it stops between two steps
//   POST   reload                                {}; 400 with a sentence when nothing was changed
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.hpp"

namespace entrepot::api {

// Of the query; throw bad_request for what is missing or cannot be read.
std::string required_parameter(const http::Request& request, std::string_view key);
std::uint64_t number_parameter(const http::Request& request, std::string_view key,
                               std::uint64_t otherwise);
// true, false; absent when it is not there.
std::optional<bool> flag_parameter(const http::Request& request, std::string_view key);
// 10s, 5m, 0; absent when it is not there.
std::optional<std::chrono::milliseconds> duration_parameter(const http::Request& request,
                                                            std::string_view key);
oci::Tag required_tag(const http::Request& request);

// 202 with the job's place, or 409 while one of that kind runs.
async::Task<http::Reply> start_job(Call call, std::string kind, upkeep::Jobs::Work work);
// For an empty hook of Operations: 405.
[[noreturn]] void refuse_missing();

}  // namespace entrepot::api
