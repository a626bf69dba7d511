// One bundle at its receiver: its volumes are read into the staging, what is lost is rebuilt, and
// when all is there it is unpacked. A run that ends early, however, is gone on with by the next.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/inventory.hpp"
#include "transfer/bundle/repair.hpp"
#include "transfer/bundle/staging.hpp"
#include "transfer/bundle/volume_file.hpp"

namespace entrepot::transfer {

// A volume, as one remembers it: heads are too large to be kept of all.
struct VolumeCard {
  std::filesystem::path path;
  std::uint64_t bytes = 0;  // of the file
  std::string bundle;
  std::string series;
  std::uint64_t number = 0;
  std::uint64_t volumes = 0;
  bool parity = false;
  SiteName sender;
  SiteName receiver;
};
VolumeCard card_of(const VolumeFile& file);

// What all bundles of one run share.
struct BundleDeliveryTerms {
  const BundleIntake::House& house;
  const BundleSite& site;
  const ApplyOptions& options;
  const index::Actor& actor;
  const BundleListener& listener;
  // Files that look like volumes and do not say which.
  const std::vector<std::filesystem::path>& unknown;
};

class BundleDelivery {
 public:
  BundleDelivery(BundleDeliveryTerms terms, std::vector<VolumeCard> cards,
                 std::filesystem::path ask);

  // Throws std::system_error when there is no room.
  async::Task<ApplyReport> run(std::function<void(std::uint64_t bytes)> passed);

 private:
  async::Task<> take_all();
  async::Task<bool> take(VolumeCard card);
  async::Task<bool> read(VolumeCard card);
  async::Task<> take_again();
  // Empty, or why not.
  std::string check(const VolumeFile& file);
  async::Task<std::vector<bool>> needed(const VolumeFile& file);
  async::Task<std::string> scan(const VolumeFile& file);
  async::Task<> assemble();
  async::Task<> find_missing();
  async::Task<> repair_all();
  async::Task<> repair(std::string series);
  async::Task<std::unique_ptr<VolumeRepair>> begin_repair(std::string series);
  async::Task<> take_rebuilt(std::string series,
                             std::map<std::uint64_t, std::filesystem::path> files);
  async::Task<> judge(oci::RepositoryName repository);
  template <class Line>
  async::Task<std::vector<Line>> acceptable(const std::vector<Line>& lines);
  async::Task<> unpack();
  async::Task<> ask();
  async::Task<> settle();
  void note_lost();
  void complain(const std::filesystem::path& file, const std::string& sentence);
  bool stopped() const { return terms_.listener.stop && terms_.listener.stop(); }
  bool is_complete() const { return contents_ && missing_.empty(); }

  const BundleDeliveryTerms terms_;
  const std::vector<VolumeCard> cards_;
  const std::filesystem::path ask_;
  std::function<void(std::uint64_t)> passed_;
  std::optional<Staging> staging_;
  std::optional<Inventory> inventory_;
  std::optional<Contents> contents_;
  std::vector<MissingDigest> missing_;
  std::map<oci::RepositoryName, bool> judged_;  // whether it may be ours
  ApplyReport report_;
};

}  // namespace entrepot::transfer
