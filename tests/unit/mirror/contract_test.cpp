// Mirror as a Source, over a Local as its upstream; Follower as a ByteSource.
#include "contract/byte_source_contract.hpp"
#include "contract/source_contract.hpp"
#include "mirror_house.hpp"

namespace entrepot::test::contract_test {

class MirrorStand : public SourceStand {
 public:
  MirrorStand() : fills_(collaborators(), mirror::AbandonedFill::finish) {}

  registry::Source& source() override { return *mirror_; }
  void put_blob(const std::string& repository, const std::string& bytes) override {
    run(upstream_.put_blob(repository, bytes));
  }
  void put_manifest(const std::string& repository, const std::vector<std::string>& tags,
                    std::string_view media_type, const std::string& bytes) override {
    run(upstream_.put_manifest(repository, tags, std::string(media_type), bytes));
  }

  // A reader that came while its fill ran, and reads after it.
  std::unique_ptr<async::ByteSource> follow(const std::string& bytes) {
    put_blob("app", bytes);
    auto content = run(source().blob(name("app"), digest_of(bytes)));
    run(until_no_fills(fills_.state()));
    site_.store.remove(digest_of(bytes));
    return std::move(content.value().bytes);
  }

 private:
  mirror::FillTable::Collaborators collaborators() {
    return {.index = site_.facts,
            .store = site_.store,
            .admission = admission_,
            .pool = pool_,
            .clock = clock_,
            .metrics = metrics_};
  }

  ManualClock clock_;
  base::Metrics metrics_;
  async::BlockingPool pool_{1};
  Site upstream_;
  Site site_;
  registry::Admission admission_{site_.facts, site_.store, clock_, metrics_};
  mirror::FillTable fills_;
  std::unique_ptr<registry::Source> mirror_ =
      mirror::make_mirror({.name = "hub"}, upstream_.local, fills_);
};

INSTANTIATE_TEST_SUITE_P(Mirror, SourceContract,
                         testing::Values([] { return std::make_unique<MirrorStand>(); }));

namespace {

SourceMaker followers() {
  const auto stand = std::make_shared<MirrorStand>();
  return [stand](const std::string& bytes) { return stand->follow(bytes); };
}
INSTANTIATE_TEST_SUITE_P(Follower, ByteSourceContract, testing::Values(followers()));

}  // namespace
}  // namespace entrepot::test::contract_test
