// A Remote in front of a small honest registry keeps what every Source, Place and ByteSource
// promises.
#include "contract/byte_source_contract.hpp"
#include "contract/sink_contract.hpp"
#include "contract/source_contract.hpp"
#include "entrepot/oci/manifest.hpp"
#include "unit/upstream/lab.hpp"
#include "unit/upstream/shelf.hpp"

namespace entrepot::test::contract_test {
namespace {

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
    const Shelf::Stored stored(media_type, bytes);
    shelf_.put_manifest(repository, digest_of(bytes).text(), stored);
    for (const auto& tag : tags) shelf_.put_manifest(repository, tag, stored);
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

class RemotePlaceStand final : public PlaceStand {
 public:
  RemotePlaceStand() {
    lab_.server.before_body("/blobs/uploads/", shelf_.keep_pieces());
    lab_.server.on("", [this](Exchange& exchange) { shelf_.answer(exchange); });
  }
  registry::Place& place() override { return lab_.place(); }

 private:
  Shelf shelf_;
  upstream::Lab lab_;
};

INSTANTIATE_TEST_SUITE_P(Remote, SinkContract,
                         testing::Values([] { return std::make_unique<RemotePlaceStand>(); }));

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
}  // namespace entrepot::test::contract_test
