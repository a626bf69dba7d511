#include "entrepot/api/work.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "entrepot/oci/refusal.hpp"
#include "entrepot/transfer/export.hpp"

namespace entrepot::api {
namespace {

namespace json = boost::json;

using Progress = std::shared_ptr<upkeep::Progress>;

// More than any client lists at once.
constexpr std::size_t tags_at_once = 1000;

std::string_view word(upkeep::Removal::Kind kind) {
  using enum upkeep::Removal::Kind;
  switch (kind) {
    case link:
      return "link";
    case blob:
      return "blob";
    case manifest:
      return "manifest";
    case unknown_file:
      return "unknown_file";
    case lost_row:
      return "lost_row";
  }
  return "link";
}

std::string render(const upkeep::Removal& removal) {
  json::object line;
  line["kind"] = word(removal.kind);
  if (!removal.repository.empty()) line["repository"] = removal.repository;
  line["digest"] = removal.digest.text();
  line["bytes"] = removal.bytes;
  line["reason"] = removal.reason;
  return json::serialize(line);
}

std::string render(const upkeep::Report& report, upkeep::Trial trial) {
  json::object summary;
  summary["dry_run"] = trial == upkeep::Trial::dry_run;
  summary["links"] = report.links;
  summary["manifests"] = report.manifests;
  summary["blobs"] = report.blobs;
  summary["bytes"] = report.bytes;
  summary["unknown_files"] = report.unknown_files;
  summary["lost_rows"] = report.lost_rows;
  summary["trash_bytes"] = report.trash_bytes;
  summary["looked_at"] = report.looked_at;
  summary["too_early"] = report.too_early;
  summary["clock_jumped"] = report.clock_jumped;
  return json::serialize(summary);
}

std::string render(const transfer::AdoptionReport& report) {
  json::object summary;
  summary["repositories"] = report.repositories;
  summary["tags"] = report.tags;
  summary["manifests"] = report.manifests;
  summary["blobs"] = report.blobs;
  summary["bytes"] = report.bytes;
  summary["held_before"] = report.held_before;
  summary["damaged"] = report.damaged;
  summary["left_out"] = report.left_out;
  return json::serialize(summary);
}

std::string render(const transfer::ExportReport& report) {
  json::object summary;
  summary["manifests"] = report.manifests;
  summary["blobs"] = report.blobs;
  summary["bytes"] = report.bytes;
  summary["held_before"] = report.held_before;
  return json::serialize(summary);
}

async::Task<std::string> collect(upkeep::Collector& collector, upkeep::CollectorOptions options,
                                 upkeep::Trial trial, Progress progress) {
  std::uint64_t removed = 0;
  const auto report = co_await collector.round(
      options, trial,
      [&](const upkeep::Removal& removal) {
        progress->line(render(removal));
        progress->at(++removed, 0, "removals");
      },
      [&] { return progress->stop_wanted(); });
  co_return render(report, trial);
}

async::Task<std::string> adopt(transfer::Adoption::House house, transfer::AdoptionOptions options,
                               index::Actor actor, Progress progress) {
  transfer::Adoption adoption(house);
  transfer::Adoption::Listener listener;
  listener.bytes = [progress](std::uint64_t done, std::uint64_t total) {
    progress->at(done, total, "bytes");
  };
  listener.trouble = [progress](const std::string& sentence) {
    json::object line;
    line["trouble"] = sentence;
    progress->line(json::serialize(line));
  };
  listener.stop = [progress] { return progress->stop_wanted(); };
  const auto report =
      co_await adoption.run(std::move(options), std::move(actor), std::move(listener));
  co_return render(report);
}

async::Task<std::vector<oci::Reference>> all_tags(registry::Source& source,
                                                  oci::RepositoryName repository) {
  std::vector<oci::Reference> references;
  registry::Page page{.after = {}, .limit = tags_at_once};
  for (bool more = true; more;) {
    auto found = co_await source.tags(repository, page);
    if (!found) registry::refuse(found.error(), registry::Subject::repository);
    more = found->more && !found->tags.empty();
    if (more) page.after = found->tags.back().text();
    for (auto& tag : found->tags) references.emplace_back(std::move(tag));
  }
  co_return references;
}

async::Task<std::string> export_all(ExportOrder order, async::BlockingPool& pool,
                                    Progress progress) {
  if (order.references.empty()) {
    order.references = co_await all_tags(*order.source, order.repository);
  }
  const auto report = co_await transfer::export_layout(
      *order.source, order.repository, std::move(order.references), order.directory, pool,
      [progress](std::uint64_t done, std::uint64_t total) { progress->at(done, total, "bytes"); });
  co_return render(report);
}

}  // namespace

upkeep::Jobs::Work collection_work(upkeep::Collector& collector, upkeep::CollectorOptions options,
                                   upkeep::Trial trial) {
  return [&collector, options, trial](Progress progress) {
    return collect(collector, options, trial, std::move(progress));
  };
}

upkeep::Jobs::Work adoption_work(transfer::Adoption::House house, transfer::AdoptionOptions options,
                                 index::Actor actor) {
  return [house, options = std::move(options), actor = std::move(actor)](Progress progress) {
    return adopt(house, options, actor, std::move(progress));
  };
}

upkeep::Jobs::Work export_work(ExportOrder order, async::BlockingPool& pool) {
  return [order = std::move(order), &pool](Progress progress) {
    return export_all(order, pool, std::move(progress));
  };
}

}  // namespace entrepot::api
