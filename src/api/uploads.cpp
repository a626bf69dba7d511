// /v2/<name>/blobs/uploads/: blobs on their way in (distribution-spec "Pushing blobs").
//
// Locations are paths: they hold behind any proxy. What a broken request has brought stays and is
// gone on from; only an upload of a single request, whose session nobody knows, is given up.
#include "api/actor.hpp"
#include "api/call.hpp"
#include "api/content_range.hpp"
#include "api/mount.hpp"
#include "api/replies.hpp"

namespace entrepot::api {
namespace {

std::string blob_path(const Call& call, const oci::Digest& digest) {
  return "/v2/" + call.repository().text() + "/blobs/" + digest.text();
}

registry::UploadKey key_of(const Call& call, std::string id) {
  return {.repository = call.repository(),
          .principal = call.grant.principal().name,
          .id = std::move(id)};
}

http::Reply session_reply(const Call& call, int status, std::string_view id,
                          std::uint64_t received) {
  auto reply = empty_reply(status);
  reply.headers.set("Location",
                    "/v2/" + call.repository().text() + "/blobs/uploads/" + std::string(id));
  reply.headers.set("Range", received_range(received));
  reply.headers.set("Docker-Upload-UUID", id);
  return reply;
}

registry::NextPiece pieces_of(const Call& call) {
  return [body = call.request.body] { return body->next(); };
}

// What the client says of the piece it sends.
struct Piece {
  std::optional<std::uint64_t> at;
  std::optional<std::uint64_t> length;
};

Piece piece_of(const http::Request& request) {
  const auto length = request.body->length();
  const auto text = request.headers.get("Content-Range");
  if (!text) return {.at = {}, .length = length};
  const auto range = parse_content_range(*text);
  if (!range) {
    throw oci::Refusal(oci::ErrorCode::blob_upload_invalid, "Content-Range is not first-last");
  }
  if (length && *length != range->length) {
    throw oci::Refusal(oci::ErrorCode::size_invalid,
                       "Content-Range and Content-Length do not agree");
  }
  return {.at = range->first, .length = range->length};
}

oci::Digest digest_parameter(const Call& call, std::string_view key) {
  return required_digest(call.request.target.query_value(key).value_or(""));
}

oci::Algorithm requested_algorithm(const http::Request& request) {
  const auto wanted = request.target.query_value("digest-algorithm");
  if (!wanted || *wanted == to_string(oci::Algorithm::sha256)) return oci::Algorithm::sha256;
  if (*wanted == to_string(oci::Algorithm::sha512)) return oci::Algorithm::sha512;
  throw oci::Refusal(oci::ErrorCode::digest_invalid, "not a digest algorithm we know");
}

async::Task<> cancel_session(registry::Uploads& uploads, registry::UploadKey key) {
  co_await uploads.cancel(std::move(key));
}

// Gives a session up whose id no client has heard, unless it was finished: by a task of its own,
// for this one may have been cancelled.
class UnheardSession {
 public:
  UnheardSession(async::Executor executor, registry::Uploads& uploads, registry::UploadKey key)
      : executor_(std::move(executor)), uploads_(uploads), key_(std::move(key)) {}
  UnheardSession(const UnheardSession&) = delete;
  UnheardSession& operator=(const UnheardSession&) = delete;
  ~UnheardSession() {
    if (!finished_) {
      async::spawn(executor_, cancel_session(uploads_, std::move(key_)), "give up an upload");
    }
  }
  void finished() { finished_ = true; }

 private:
  async::Executor executor_;
  registry::Uploads& uploads_;
  registry::UploadKey key_;
  bool finished_ = false;
};

// The whole blob in the opening request.
async::Task<http::Reply> upload_at_once(Call call, oci::Digest digest) {
  auto& uploads = call.house.writing.uploads;
  const auto executor = co_await async::this_executor();
  const auto who = call.grant.principal().name;
  const auto key = key_of(call, co_await uploads.open(call.repository(), who, digest.algorithm()));
  UnheardSession session(executor, uploads, key);
  co_await uploads.finish(key, {}, call.request.body->length(), pieces_of(call), digest,
                          actor_of(call));
  session.finished();
  co_return created(blob_path(call, digest), digest);
}

// Of an upload that was finished before nobody wants the bytes, but closing the connection upon
// them could take the answer away from the client once more.
async::Task<> read_to_end(http::RequestBody& body) {
  for (auto piece = co_await body.next(); !piece.empty(); piece = co_await body.next()) {
  }
}

}  // namespace

async::Task<http::Reply> open_upload(Call call) {
  const auto& query = call.request.target;
  auto& uploads = call.house.writing.uploads;
  auto algorithm = requested_algorithm(call.request);
  if (query.query_value("mount")) {
    const auto digest = digest_parameter(call, "mount");
    const auto mounted = co_await mount(call, digest);
    if (mounted == registry::Mounted::yes) co_return created(blob_path(call, digest), digest);
    algorithm = digest.algorithm();
  } else if (query.query_value("digest")) {
    co_return co_await upload_at_once(call, digest_parameter(call, "digest"));
  }
  const auto who = call.grant.principal().name;
  const auto id = co_await uploads.open(call.repository(), who, algorithm);
  co_return session_reply(call, 202, id, 0);
}

async::Task<http::Reply> answer_upload(Call call) {
  const std::string id(call.argument);
  const auto offset = co_await call.house.writing.uploads.offset(key_of(call, id));
  if (!offset) throw oci::Refusal(oci::ErrorCode::blob_upload_unknown, "no such upload");
  co_return session_reply(call, 204, id, *offset);
}

async::Task<http::Reply> append_upload(Call call) {
  const std::string id(call.argument);
  const auto piece = piece_of(call.request);
  const auto offset = co_await call.house.writing.uploads.append(key_of(call, id), piece.at,
                                                                 piece.length, pieces_of(call));
  co_return session_reply(call, 202, id, offset);
}

async::Task<http::Reply> finish_upload(Call call) {
  const auto digest = digest_parameter(call, "digest");
  const auto piece = piece_of(call.request);
  co_await call.house.writing.uploads.finish(key_of(call, std::string(call.argument)), piece.at,
                                             piece.length, pieces_of(call), digest, actor_of(call));
  co_await read_to_end(*call.request.body);
  co_return created(blob_path(call, digest), digest);
}

async::Task<http::Reply> cancel_upload(Call call) {
  const auto& writing = call.house.writing;
  if (writing.policy.now()->options().deletion == registry::Deletion::refused) {
    throw oci::Refusal(oci::ErrorCode::unsupported, "nothing is deleted here");
  }
  const bool was_there = co_await writing.uploads.cancel(key_of(call, std::string(call.argument)));
  if (!was_there) throw oci::Refusal(oci::ErrorCode::blob_upload_unknown, "no such upload");
  co_return empty_reply(204);
}

}  // namespace entrepot::api
