// What the operator's commands are told, and the one function behind each.
//
// Every command but `user` and `routes` works on one registry: by its control socket while a daemon
// holds the data directory, else on the directory itself. None throws; what went wrong is a
// sentence on console.error and an ExitStatus.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/console.hpp"
#include "entrepot/app/run.hpp"
#include "entrepot/replication/replicator.hpp"
#include "entrepot/store/blob_store.hpp"
#include "entrepot/upkeep/collector.hpp"

namespace entrepot::app::commands {

// Which registry is meant. Neither: that of /etc/entrepot/config.yaml if it is there, else the
// default directory.
struct Place {
  std::optional<std::string> config{};
  std::optional<std::string> data{};
};

enum class Output { text, json };

struct Collect {
  Place place{};
  upkeep::Trial trial = upkeep::Trial::real;
  std::optional<upkeep::Untagged> untagged{};  // absent: as configured
  std::string grace{};                         // a duration; empty: as configured
  Output output = Output::text;
};

struct Adopt {
  Place place{};
  std::string directory{};
  store::BlobStore::Bring files = store::BlobStore::Bring::link;
  std::string repository{};  // for an OCI layout
};

struct Export {
  Place place{};
  std::string image{};  // REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST
  std::string directory{};
};

// The file: as said, else the one the configuration names.
struct AddUser {
  Place place{};
  std::optional<std::string> file{};
  std::string name{};
};
struct RemoveUser {
  Place place{};
  std::optional<std::string> file{};
  std::string name{};
};
struct ListUsers {
  Place place{};
  std::optional<std::string> file{};
};

struct TagHistory {
  Place place{};
  std::string image{};  // REPOSITORY:TAG
  Output output = Output::text;
};
struct RollBack {
  Place place{};
  std::string image{};   // REPOSITORY:TAG
  std::string digest{};  // one that the history names; empty: the one before
};

struct DeleteRepository {
  Place place{};
  std::string name{};
};

enum class Switch { show, on, off };
struct ReadOnlyMode {
  Place place{};
  Switch wanted = Switch::show;
};

struct Reload {
  Place place{};
};

struct ListJobs {
  Place place{};
  Output output = Output::text;
};

struct Routes {
  Output output = Output::text;
};

struct Sync {
  Place place{};
  std::string rule{};
  replication::Trial trial = replication::Trial::real;
  Output output = Output::text;
};
struct ListPeers {
  Place place{};
  Output output = Output::text;
};
struct ShowReplication {
  Place place{};
  enum class What { rules, waiting } what = What::rules;
  Output output = Output::text;
};

struct Warm {
  Place place{};
  std::vector<std::string> images{};  // as people write them
  std::string list{};                 // a file of them, a line each; "-" is standard input
  std::string kubernetes_list{};      // likewise, of kubectl
  std::vector<std::string> platforms{};
  bool referrers = false;
  Output output = Output::text;
};

struct WriteWant {
  Place place{};
  std::string file{};
  std::vector<std::string> repositories{};  // globs; none: all
  Output output = Output::text;
};
struct CreateBundle {
  Place place{};
  std::string directory{};
  std::string rule{};
  std::vector<std::string> images{};
  std::string want{};         // a file, or empty
  std::string again{};        // an ask-file, or empty
  std::string volume_size{};  // empty: the usual one
  unsigned parity = 0;
  Output output = Output::text;
};
struct ApplyBundle {
  Place place{};
  std::vector<std::string> paths{};
  std::string ask{};      // where to write what to ask for, or empty
  std::string abandon{};  // the id of a bundle to forget, or empty
  Output output = Output::text;
};
struct ShowKey {
  Place place{};
  Output output = Output::text;
};

using Command =
    std::variant<Collect, Adopt, Export, AddUser, RemoveUser, ListUsers, TagHistory, RollBack,
                 DeleteRepository, ReadOnlyMode, Reload, ListJobs, Routes, Sync, ListPeers,
                 ShowReplication, Warm, WriteWant, CreateBundle, ApplyBundle, ShowKey>;

ExitStatus run(const Collect& command, Console& console);
ExitStatus run(const Adopt& command, Console& console);
ExitStatus run(const Export& command, Console& console);
ExitStatus run(const AddUser& command, Console& console);
ExitStatus run(const RemoveUser& command, Console& console);
ExitStatus run(const ListUsers& command, Console& console);
ExitStatus run(const TagHistory& command, Console& console);
ExitStatus run(const RollBack& command, Console& console);
ExitStatus run(const DeleteRepository& command, Console& console);
ExitStatus run(const ReadOnlyMode& command, Console& console);
ExitStatus run(const Reload& command, Console& console);
ExitStatus run(const ListJobs& command, Console& console);
ExitStatus run(const Routes& command, Console& console);
ExitStatus run(const Sync& command, Console& console);
ExitStatus run(const ListPeers& command, Console& console);
ExitStatus run(const ShowReplication& command, Console& console);
ExitStatus run(const Warm& command, Console& console);
ExitStatus run(const WriteWant& command, Console& console);
ExitStatus run(const CreateBundle& command, Console& console);
ExitStatus run(const ApplyBundle& command, Console& console);
ExitStatus run(const ShowKey& command, Console& console);

}  // namespace entrepot::app::commands
