// A Remote in front of a small honest registry keeps what every Source and ByteSource promises.
#include <map>
#include <mutex>
#include <set>

#include "contract/byte_source_contract.hpp"
#include "contract/source_contract.hpp"
#include "entrepot/oci/manifest.hpp"
#include "unit/upstream/lab.hpp"

namespace entrepot::test {
namespace {

using Stored = std::pair<std::string, std::string>;  // media type, bytes

// What a registry holds; answers the distribution API's reading half.
class Shelf {
 public:
  void put_blob(const std::string& repository, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    blobs_["/v2/" + repository + "/blobs/" + digest_of(bytes).text()] = bytes;
  }
  void put_manifest(const std::string& repository, const std::string& reference,
                    const Stored& stored) {
    const std::lock_guard lock(mutex_);
    manifests_["/v2/" + repository + "/manifests/" + reference] = stored;
  }
  void put_tag(const std::string& repository, const std::string& tag, const Stored& stored) {
    put_manifest(repository, tag, stored);
    const std::lock_guard lock(mutex_);
    tags_["/v2/" + repository + "/tags/list"].insert(tag);
  }
  void put_referrer(const std::string& repository, const oci::Digest& subject,
                    const std::string& entry) {
    const std::lock_guard lock(mutex_);
    auto& list = referrers_["/v2/" + repository + "/referrers/" + subject.text()];
    list += (list.empty() ? "" : ",") + entry;
  }

  void answer(Exchange& exchange) {
    const auto& target = exchange.request.target;
    const auto mark = target.find('?');
    action(target.substr(0, mark),
           mark == std::string::npos ? "" : target.substr(mark + 1))(exchange);
  }

 private:
  Action action(const std::string& path, const std::string& query) {
    const std::lock_guard lock(mutex_);
    if (const auto found = blobs_.find(path); found != blobs_.end()) return content(found->second);
    if (const auto found = manifests_.find(path); found != manifests_.end())
      return reply(200, found->second.second,
                   {{"Content-Type", found->second.first},
                    {"Docker-Content-Digest", digest_of(found->second.second).text()}});
    if (const auto found = tags_.find(path); found != tags_.end())
      return tag_page(found->second, path, query);
    if (path.find("/referrers/") != std::string::npos)
      return reply(200, R"({"schemaVersion":2,"manifests":[)" + referrers_[path] + "]}",
                   {{"Content-Type", upstream::index_type}});
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

  std::mutex mutex_;  // guards everything below
  std::map<std::string, std::string> blobs_;
  std::map<std::string, Stored> manifests_;
  std::map<std::string, std::set<std::string>> tags_;
  std::map<std::string, std::string> referrers_;
};

class RemoteStand final : public SourceStand {
 public:
  RemoteStand() {
    lab_.server.on("", [this](Exchange& exchange) { shelf_.answer(exchange); });
  }
  registry::Source& source() override { return lab_.remote(); }
  void put_blob(const std::string& repository, const std::string& bytes) override {
    shelf_.put_blob(repository, bytes);
  }
  void put_manifest(const std::string& repository, const std::vector<std::string>& tags,
                    std::string_view media_type, const std::string& bytes) override {
    const Stored stored(media_type, bytes);
    shelf_.put_manifest(repository, digest_of(bytes).text(), stored);
    for (const auto& tag : tags) shelf_.put_tag(repository, tag, stored);
    const auto parsed = oci::parse_manifest(bytes, media_type);
    if (parsed && parsed->subject)
      shelf_.put_referrer(repository, parsed->subject->digest,
                          R"({"mediaType":")" + stored.first + R"(","digest":")" +
                              digest_of(bytes).text() + R"(","size":)" +
                              std::to_string(bytes.size()) + R"(,"artifactType":")" +
                              parsed->artifact_type + "\"}");
  }

 private:
  Shelf shelf_;
  upstream::Lab lab_;
};

INSTANTIATE_TEST_SUITE_P(Remote, SourceContract,
                         testing::Values([] { return std::make_unique<RemoteStand>(); }));

// Holds the server behind it; what is read stays good after both are gone.
class ServedBlob final : public async::ByteSource {
 public:
  explicit ServedBlob(std::string content) : digest_(digest_of(content)) {
    lab_.server.on("", test::content(std::move(content)));
    auto opened = lab_.run(lab_.remote().blob(upstream::app(), digest_));
    blob_ = std::move(opened->bytes);
  }
  std::uint64_t size() const override { return blob_->size(); }
  async::Task<async::Chunk> read_at(std::uint64_t offset, std::uint64_t most) override {
    co_return lab_.run(blob_->read_at(offset, most));  // a transfer stays on its io_context
  }

 private:
  oci::Digest digest_;
  upstream::Lab lab_;
  std::unique_ptr<async::ByteSource> blob_;
};

INSTANTIATE_TEST_SUITE_P(RemoteBlob, ByteSourceContract, testing::Values([](std::string content) {
                           return std::make_unique<ServedBlob>(std::move(content));
                         }));

}  // namespace
}  // namespace entrepot::test
