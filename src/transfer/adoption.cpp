#include "entrepot/transfer/adoption.hpp"

#include <optional>
#include <vector>

#include "entrepot/base/log.hpp"
#include "entrepot/index/catalog.hpp"
#include "transfer/foreign_site.hpp"
#include "transfer/image_porter.hpp"
#include "transfer/journey.hpp"

namespace entrepot::transfer {

namespace {

// Sentences found on the pool, told on the caller's thread.
class Sentences {
 public:
  Trouble collect() {
    return [this](std::string sentence) { sentences_.push_back(std::move(sentence)); };
  }
  void tell(const Journey& journey) {
    for (auto& sentence : sentences_) journey.trouble(std::move(sentence));
    sentences_.clear();
  }

 private:
  std::vector<std::string> sentences_;
};

async::Task<bool> may_come(const Journey& journey, oci::RepositoryName name) {
  if (journey.options.accepts && !journey.options.accepts(name)) co_return false;
  const auto kind = co_await journey.house.index.read(
      [&](const index::View& view) { return index::claimed_as(view, name); });
  co_return kind != index::RepositoryKind::mirrored;
}

async::Task<> bring_repository(Journey& journey, const ForeignSite& site, std::size_t number) {
  Sentences sentences;
  const auto repository =
      co_await journey.house.pool.run([&] { return site.repository(number, sentences.collect()); });
  sentences.tell(journey);
  if (!co_await may_come(journey, repository.name)) {
    ++journey.report.left_out;
    journey.trouble(repository.name.text() + " is the name of a mirrored repository here");
    co_return;
  }
  ImagePorter porter(journey, repository);
  co_await porter.bring_all();
  ++journey.report.repositories;
}

void log_report(const std::filesystem::path& directory, const AdoptionReport& report) {
  base::log::info("adoption ended", {{"directory", directory.string()},
                                     {"repositories", report.repositories},
                                     {"tags", report.tags},
                                     {"manifests", report.manifests},
                                     {"blobs", report.blobs},
                                     {"bytes", report.bytes},
                                     {"held_before", report.held_before},
                                     {"damaged", report.damaged},
                                     {"left_out", report.left_out}});
}

}  // namespace

Adoption::Adoption(House house) : house_(house) {}

async::Task<AdoptionReport> Adoption::run(AdoptionOptions options, index::Actor actor,
                                          Listener listener) {
  Journey journey(house_, std::move(options), std::move(actor), std::move(listener));
  Sentences sentences;
  const auto site = co_await house_.pool.run([&] {
    return ForeignSite(journey.options.directory, journey.options.repository, sentences.collect());
  });
  sentences.tell(journey);
  journey.expect(co_await house_.pool.run([&] { return site.bytes(); }));
  for (std::size_t number = 0; number < site.size() && !journey.stopped(); ++number) {
    co_await bring_repository(journey, site, number);
  }
  if (!journey.stopped()) journey.arrived();
  log_report(journey.options.directory, journey.report);
  co_return journey.report;
}

}  // namespace entrepot::transfer
