// A small honest registry behind a FakeUpstream: what it holds, and the distribution API to read
// and write it.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "support/fake_upstream.hpp"
#include "support/words.hpp"

namespace entrepot::test {

class Shelf {
 public:
  using Stored = std::pair<std::string, std::string>;  // media type, bytes

  void put_blob(const std::string& repository, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    blobs_["/v2/" + repository + "/blobs/" + digest_of(bytes).text()] = bytes;
  }
  void put_manifest(const std::string& repository, const std::string& reference,
                    const Stored& stored) {
    const std::lock_guard lock(mutex_);
    store_manifest("/v2/" + repository, reference, stored);
  }
  void put_referrer(const std::string& repository, const oci::Digest& subject,
                    const std::string& entry) {
    const std::lock_guard lock(mutex_);
    auto& list = referrers_["/v2/" + repository + "/referrers/" + subject.text()];
    list += (list.empty() ? "" : ",") + entry;
  }
  // Empty when it is not there.
  std::string blob(const std::string& repository, const oci::Digest& digest) const {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find("/v2/" + repository + "/blobs/" + digest.text());
    return found == blobs_.end() ? std::string() : found->second;
  }
  Stored manifest(const std::string& repository, const std::string& reference) const {
    const std::lock_guard lock(mutex_);
    const auto found = manifests_.find("/v2/" + repository + "/manifests/" + reference);
    return found == manifests_.end() ? Stored() : found->second;
  }
  std::size_t open_uploads() const {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  // Bytes of bodies of uploads that arrived.
  std::size_t uploaded() const {
    const std::lock_guard lock(mutex_);
    return uploaded_;
  }
  void forget_uploads() {
    const std::lock_guard lock(mutex_);
    uploads_.clear();
  }

  void answer(Exchange& exchange) {
    const auto [path, query] = parts(exchange.request.target);
    action(exchange.request, path, query)(exchange);
  }
  // For FakeUpstream::before_body: keeps what comes of a body that does not come whole.
  Action keep_pieces() {
    return [this](Exchange& exchange) {
      const auto length = exchange.request.header("Content-Length");
      const std::size_t size = length == "-" ? 0 : std::stoul(length);
      while (exchange.request.body.size() < size &&
             exchange.receive(size - exchange.request.body.size()) > 0) {
      }
      if (exchange.request.body.size() == size) return answer(exchange);
      const std::lock_guard lock(mutex_);
      uploaded_ += exchange.request.body.size();
      uploads_[parts(exchange.request.target).first].bytes += exchange.request.body;
    };
  }
  // For FakeUpstream::before_body: takes so much of an upload's piece, then the connection breaks.
  Action cut_after(std::size_t most) {
    return [this, most](Exchange& exchange) {
      while (exchange.request.body.size() < most && exchange.receive(most) > 0) {
      }
      const auto piece = exchange.request.body.substr(0, most);
      {
        const std::lock_guard lock(mutex_);
        uploaded_ += piece.size();
        uploads_[parts(exchange.request.target).first].bytes += piece;
      }
      exchange.reset();
    };
  }

 private:
  struct Upload {
    std::string bytes;
    int state = 0;  // only the address given last will do
  };
  using Query = std::map<std::string, std::string>;

  static std::pair<std::string, std::string> parts(const std::string& target) {
    const auto mark = target.find('?');
    return {target.substr(0, mark), mark == std::string::npos ? "" : target.substr(mark + 1)};
  }
  static Query read_query(std::string text) {
    Query query;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('&', at), text.size());
      const auto piece = text.substr(at, end - at);
      auto value = piece.substr(std::min(piece.find('=') + 1, piece.size()));
      for (auto escape = value.find('%'); escape != std::string::npos; escape = value.find('%'))
        value.replace(escape, 3, 1,
                      static_cast<char>(std::stoi(value.substr(escape + 1, 2), {}, 16)));
      query[piece.substr(0, piece.find('='))] = value;
      at = end + 1;
    }
    return query;
  }

  Action action(const RecordedRequest& request, const std::string& path, const std::string& query) {
    const std::lock_guard lock(mutex_);
    if (path == "/v2/_catalog") return catalog(read_query(query));
    if (path.find("/blobs/uploads/") != std::string::npos)
      return upload(request, path, read_query(query));
    if (request.method == "PUT") return take_manifest(request, path);
    if (request.method == "DELETE") return remove(path);
    return read(path, query);
  }

  Action read(const std::string& path, const std::string& query) {
    if (const auto found = blobs_.find(path); found != blobs_.end()) return content(found->second);
    if (const auto found = manifests_.find(path); found != manifests_.end())
      return reply(200, found->second.second,
                   {{"Content-Type", found->second.first},
                    {"Docker-Content-Digest", digest_of(found->second.second).text()}});
    if (const auto found = tags_.find(path); found != tags_.end())
      return tag_page(found->second, path, query);
    if (path.find("/referrers/") != std::string::npos)
      return reply(200, R"({"schemaVersion":2,"manifests":[)" + referrers_[path] + "]}",
                   {{"Content-Type", "application/vnd.oci.image.index.v1+json"}});
    return reply(404, "");
  }

  // Pages of two at most, so that gathering is seen to work.
  static Action tag_page(const std::set<std::string>& tags, const std::string& path,
                         const std::string& query) {
    const auto last = query.find("last=");
    auto next = last == std::string::npos ? tags.begin() : tags.upper_bound(query.substr(last + 5));
    std::string list;
    std::string end;
    for (int i = 0; i < 2 && next != tags.end(); ++i, ++next) {
      list += (list.empty() ? "\"" : ",\"") + *next + "\"";
      end = *next;
    }
    Fields fields;
    if (next != tags.end())
      fields.emplace_back("Link", "<" + path + "?n=2&last=" + end + ">; rel=\"next\"");
    return reply(200, R"({"name":"x","tags":[)" + list + "]}", fields);
  }

  Action catalog(Query query) const {
    std::set<std::string> names;
    for (const auto& [path, tags] : tags_) names.insert(path.substr(4, path.size() - 14));
    auto next = names.upper_bound(query["last"]);
    std::string list;
    std::string end;
    for (int i = 0; i < std::stoi(query["n"]) && next != names.end(); ++i, ++next) {
      list += (list.empty() ? "\"" : ",\"") + *next + "\"";
      end = *next;
    }
    Fields fields;
    if (next != names.end())
      fields.emplace_back("Link",
                          "</v2/_catalog?n=" + query["n"] + "&last=" + end + ">; rel=\"next\"");
    return reply(200, R"({"repositories":[)" + list + "]}", fields);
  }

  Action upload(const RecordedRequest& request, const std::string& path, Query query) {
    const auto repository = path.substr(0, path.find("/blobs/uploads/"));
    if (request.method == "POST") return open_upload(repository, query);
    const auto found = uploads_.find(path);
    if (found == uploads_.end() || query["_state"] != state_of(found->second))
      return reply(404, R"({"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]})");
    auto& upload = found->second;
    const auto range = request.header("Content-Range");
    if (range != "-" && std::stoul(range) != upload.bytes.size()) return reply(416, "");
    if (request.method == "DELETE") {
      uploads_.erase(found);
      return reply(204, "");
    }
    uploaded_ += request.body.size();
    upload.bytes += request.body;
    if (request.method == "PUT") return close_upload(repository, path, query["digest"]);
    return where(request.method == "GET" ? 204 : 202, path, upload);
  }

  Action open_upload(const std::string& repository, Query query) {
    const auto source = blobs_.find("/v2/" + query["from"] + "/blobs/" + query["mount"]);
    if (source != blobs_.end()) {
      blobs_[repository + "/blobs/" + query["mount"]] = source->second;
      return reply(201, "", {{"Location", repository + "/blobs/" + query["mount"]}});
    }
    const auto path = repository + "/blobs/uploads/" + std::to_string(++number_);
    return where(202, path, uploads_[path]);
  }

  Action close_upload(const std::string& repository, const std::string& path,
                      const std::string& digest) {
    auto bytes = std::move(uploads_[path].bytes);
    uploads_.erase(path);
    if (digest_of(bytes).text() != digest)
      return reply(400, R"({"errors":[{"code":"DIGEST_INVALID","message":"x"}]})");
    blobs_[repository + "/blobs/" + digest] = std::move(bytes);
    return reply(201, "", {{"Docker-Content-Digest", digest}});
  }

  static std::string state_of(const Upload& upload) {
    return "a/b=" + std::to_string(upload.state);
  }
  static Action where(int status, const std::string& path, Upload& upload) {
    ++upload.state;
    const auto last = upload.bytes.empty() ? 0 : upload.bytes.size() - 1;
    return reply(status, "",
                 {{"Location", path + "?_state=a%2Fb%3D" + std::to_string(upload.state)},
                  {"Range", "0-" + std::to_string(last)}});
  }

  void store_manifest(const std::string& repository, const std::string& reference,
                      const Stored& stored) {
    manifests_[repository + "/manifests/" + reference] = stored;
    manifests_[repository + "/manifests/" + digest_of(stored.second).text()] = stored;
    if (reference.find(':') == std::string::npos)
      tags_[repository + "/tags/list"].insert(reference);
  }
  Action take_manifest(const RecordedRequest& request, const std::string& path) {
    const auto at = path.find("/manifests/");
    store_manifest(path.substr(0, at), path.substr(at + 11),
                   {request.header("Content-Type"), request.body});
    return reply(201, "", {{"Docker-Content-Digest", digest_of(request.body).text()}});
  }
  Action remove(const std::string& path) {
    const auto at = path.find("/manifests/");
    const auto found = manifests_.find(path);
    if (found == manifests_.end()) return reply(404, "");
    const auto bytes = found->second.second;
    const bool by_digest = path.find("sha256:") != std::string::npos;
    auto& tags = tags_[path.substr(0, at) + "/tags/list"];
    manifests_.erase(found);
    tags.erase(path.substr(at + 11));
    if (by_digest)
      std::erase_if(manifests_, [&](const auto& each) {
        const bool gone = each.first.starts_with(path.substr(0, at)) && each.second.second == bytes;
        if (gone) tags.erase(each.first.substr(at + 11));
        return gone;
      });
    return reply(202, "");
  }

  mutable std::mutex mutex_;  // guards everything below
  std::map<std::string, std::string> blobs_;
  std::map<std::string, Stored> manifests_;
  std::map<std::string, std::set<std::string>> tags_;
  std::map<std::string, std::string> referrers_;
  std::map<std::string, Upload> uploads_;
  int number_ = 0;
  std::size_t uploaded_ = 0;
};

}  // namespace entrepot::test
