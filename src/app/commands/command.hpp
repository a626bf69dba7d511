// What the operator's commands are told, and the one function behind each.
//
// Every command but `user` and `routes` works on one registry: by its control socket while a daemon
// holds the data directory, else on the directory itself. None throws; what went wrong is a
// sentence on console.error and an ExitStatus.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "app/console.hpp"
#include "entrepot/app/run.hpp"
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

using Command = std::variant<Collect, Adopt, Export, AddUser, RemoveUser, ListUsers, TagHistory,
                             RollBack, DeleteRepository, ReadOnlyMode, Reload, ListJobs, Routes>;

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

}  // namespace entrepot::app::commands
