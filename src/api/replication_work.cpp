#include "entrepot/api/replication_work.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot::api {
namespace {

namespace json = boost::json;

using Progress = std::shared_ptr<upkeep::Progress>;

std::string render(const std::string& rule, replication::Trial trial,
                   const replication::RunReport& report) {
  json::object summary;
  summary["rule"] = rule;
  summary["dry_run"] = trial == replication::Trial::dry;
  summary["repositories"] = report.repositories;
  summary["tags"] = report.tags;
  summary["changed"] = report.changed;
  summary["removed"] = report.removed;
  summary["failed"] = report.failed;
  summary["put_off"] = report.put_off;
  summary["error"] = report.error;
  summary["manifests"] = report.copied.manifests;
  summary["manifests_held"] = report.copied.manifests_held;
  summary["blobs_moved"] = report.copied.blobs_moved;
  summary["blobs_mounted"] = report.copied.blobs_mounted;
  summary["blobs_held"] = report.copied.blobs_held;
  summary["bytes"] = report.copied.bytes;
  return json::serialize(summary);
}

replication::RunListener listener_of(Progress progress) {
  replication::RunListener listener;
  listener.bytes = [progress](std::uint64_t done, std::uint64_t total) {
    progress->at(done, total, "bytes");
  };
  listener.item = [progress](const std::string& repository, const std::string& reference,
                             const std::string& outcome) {
    progress->line(json::serialize(
        json::object{{"repository", repository}, {"reference", reference}, {"outcome", outcome}}));
  };
  listener.stop = [progress] { return progress->stop_wanted(); };
  return listener;
}

async::Task<std::string> sync(replication::Replicator& replicator, std::string rule,
                              replication::Trial trial, Progress progress) {
  const auto report = co_await replicator.run(rule, trial, listener_of(std::move(progress)));
  co_return render(rule, trial, report);
}

}  // namespace

upkeep::Jobs::Work sync_work(replication::Replicator& replicator, std::string rule,
                             replication::Trial trial) {
  return [&replicator, rule = std::move(rule), trial](Progress progress) {
    return sync(replicator, rule, trial, std::move(progress));
  };
}

}  // namespace entrepot::api
