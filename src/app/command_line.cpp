#include "app/command_line.hpp"

#include <ostream>

#include "app/command_verbs.hpp"

namespace entrepot::app {
namespace {

constexpr const char* version_text = "entrepot " ENTREPOT_VERSION;

void add_config(CLI::App& verb, std::optional<std::string>& config) {
  // `serve FILE` is how registry:2 is started, and costs nothing to understand.
  auto* option = verb.add_option("--config", config, "configuration file (YAML)");
  option->type_name("FILE");
  verb.add_option("CONFIG", config, "the same")->type_name("FILE")->excludes(option);
}

void add_serve(CLI::App& app, Command& command) {
  auto* verb = app.add_subcommand("serve", "run the daemon");
  auto flags = std::make_shared<Flags>();
  add_config(*verb, flags->config);
  verb->add_option("--listen", flags->listen, "address to serve on, or unix:/PATH; repeatable")
      ->type_name("ADDR:PORT")
      ->allow_extra_args(false);
  verb->add_option("--admin-listen", flags->admin_listen, "address for health and metrics alone")
      ->type_name("ADDR:PORT");
  verb->add_option("--external-url", flags->external_url, "how clients reach this registry")
      ->type_name("URL");
  verb->add_option("--tls-certificate", flags->tls_certificate, "certificate chain (PEM)")
      ->type_name("FILE");
  verb->add_option("--tls-key", flags->tls_key, "its key (PEM)")->type_name("FILE");
  verb->add_option("--htpasswd", flags->htpasswd, "users, who may then do everything")
      ->type_name("FILE");
  verb->add_flag_callback(
      "--open", [flags] { flags->open = OpenToAll::yes; }, "everybody may pull, push and delete");
  verb->add_option("--data", flags->data, "data directory")->type_name("DIR");
  verb->add_option("--upstream", flags->upstreams,
                   "upstream registry; repeatable, the first is the default one")
      ->type_name("NAME=URL")
      ->allow_extra_args(false);
  verb->add_option("--log-level", flags->log_level, "trace, debug, info, warn or error")
      ->type_name("LEVEL");
  verb->add_option("--log-format", flags->log_format, "text or json")->type_name("FORMAT");
  verb->final_callback([flags, &command] { command = Serve{*flags}; });
}

void add_check_config(CLI::App& app, Command& command) {
  auto* verb = app.add_subcommand("check-config", "read the configuration and say what is wrong");
  auto flags = std::make_shared<Flags>();
  add_config(*verb, flags->config);
  verb->final_callback([flags, &command] { command = CheckConfig{*flags}; });
}

void add_collection_flags(CLI::App& verb, commands::Collect& told) {
  verb.add_flag_callback(
      "--dry-run,-d", [&told] { told.trial = upkeep::Trial::dry_run; },
      "remove nothing, say what would go");
  verb.add_flag_callback(
      "--delete-untagged,-m", [&told] { told.untagged = upkeep::Untagged::remove; },
      "also manifests that no tag refers to");
  add_output(verb, told.output);
}

void add_collections(CLI::App& app, Command& command) {
  auto told = std::make_shared<commands::Collect>();
  auto& verb = add_verb(app, "gc", "remove what nothing refers to any more", command, told);
  add_place(verb, told->place);
  add_collection_flags(verb, *told);

  verb.add_option("--grace", told->grace, "spare what is younger (collect.grace)")
      ->type_name("DURATION");

  // What registry:2's command removes, it removes now: here promises to clients still hold.
  auto alias = std::make_shared<commands::Collect>();
  alias->grace = "0";
  auto& same = add_verb(app, "garbage-collect", "the same without grace, as registry:2 calls it",
                        command, alias);
  add_data(same, alias->place);
  add_config(same, alias->place.config);
  add_collection_flags(same, *alias);
}

void add_transfers(CLI::App& app, Command& command) {
  auto adopt = std::make_shared<commands::Adopt>();
  auto& taking = add_verb(app, "adopt", "take over what another registry or an OCI layout left",
                          command, adopt);
  taking.add_option("DIR", adopt->directory, "docker/registry/v2 and above, or an OCI layout")
      ->required();
  taking.add_flag_callback(
      "--copy", [adopt] { adopt->files = store::BlobStore::Bring::copy; },
      "copy files instead of linking them");
  taking.add_option("--repository", adopt->repository, "where the tags of an OCI layout go")
      ->type_name("NAME");
  add_place(taking, adopt->place);

  auto order = std::make_shared<commands::Export>();
  auto& giving = add_verb(app, "export", "write an OCI image layout", command, order);
  giving.add_option("IMAGE", order->image, "REPOSITORY[:TAG|@DIGEST]")->required();
  giving.add_option("DIR", order->directory, "made when it is not there")->required();
  add_place(giving, order->place);
}

template <class Told>
void add_users_file(CLI::App& verb, Told& told) {
  verb.add_option("--file", told.file, "htpasswd file; else that of the configuration")
      ->type_name("FILE");
  add_place(verb, told.place);
}

void add_users(CLI::App& app, Command& command) {
  auto* user = app.add_subcommand("user", "users in an htpasswd file");
  user->require_subcommand(1);
  auto add = std::make_shared<commands::AddUser>();
  auto& adding = add_verb(*user, "add", "add a user or change the password (from standard input)",
                          command, add);
  adding.add_option("NAME", add->name)->required();
  add_users_file(adding, *add);

  auto remove = std::make_shared<commands::RemoveUser>();
  auto& removing = add_verb(*user, "remove", "remove a user", command, remove);
  removing.add_option("NAME", remove->name)->required();
  add_users_file(removing, *remove);

  auto list = std::make_shared<commands::ListUsers>();
  add_users_file(add_verb(*user, "list", "their names", command, list), *list);
}

void add_tags(CLI::App& app, Command& command) {
  auto* tag = app.add_subcommand("tag", "what tags pointed to");
  tag->require_subcommand(1);
  auto history = std::make_shared<commands::TagHistory>();
  auto& looking =
      add_verb(*tag, "history", "who moved it, when, from where to where", command, history);
  looking.add_option("IMAGE", history->image, "REPOSITORY:TAG")->required();
  add_place(looking, history->place);
  add_output(looking, history->output);

  auto back = std::make_shared<commands::RollBack>();
  auto& moving = add_verb(*tag, "rollback", "back to a digest of its history", command, back);
  moving.add_option("IMAGE", back->image, "REPOSITORY:TAG")->required();
  moving.add_option("DIGEST", back->digest, "without: the one before");
  add_place(moving, back->place);
}

void add_repositories(CLI::App& app, Command& command) {
  auto* repository = app.add_subcommand("repository", "whole repositories");
  repository->require_subcommand(1);
  auto deletion = std::make_shared<commands::DeleteRepository>();
  auto& verb =
      add_verb(*repository, "delete", "delete a repository with all its tags", command, deletion);
  verb.add_option("NAME", deletion->name)->required();
  add_place(verb, deletion->place);
}

void add_read_only(CLI::App& app, Command& command) {
  using commands::Switch;
  auto* mode = app.add_subcommand("read-only", "whether a running daemon takes pushes");
  mode->require_subcommand(1);
  const struct {
    const char* word;
    const char* about;
    Switch wanted;
  } words[] = {{"on", "take no pushes and no deletions", Switch::on},
               {"off", "take them again", Switch::off},
               {"show", "on or off", Switch::show}};
  for (const auto& each : words) {
    auto told = std::make_shared<commands::ReadOnlyMode>();
    told->wanted = each.wanted;
    add_place(add_verb(*mode, each.word, each.about, command, told), told->place);
  }
}

void add_daemon_commands(CLI::App& app, Command& command) {
  auto reload = std::make_shared<commands::Reload>();
  add_place(
      add_verb(app, "reload", "a running daemon reads its configuration again", command, reload),
      reload->place);
  auto jobs = std::make_shared<commands::ListJobs>();
  auto& listing = add_verb(app, "jobs", "what a running daemon works on", command, jobs);
  add_place(listing, jobs->place);
  add_output(listing, jobs->output);
  auto routes = std::make_shared<commands::Routes>();
  add_output(add_verb(app, "routes", "the table of endpoints", command, routes), routes->output);
}

}  // namespace

std::expected<Command, ExitStatus> parse_command_line(int argc, const char* const* argv,
                                                      std::ostream& out, std::ostream& error) {
  Command command;
  CLI::App app("A registry that is a mirror too: answers from what it has, asks when it has not.",
               "entrepot");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  add_serve(app, command);
  add_check_config(app, command);
  add_collections(app, command);
  add_transfers(app, command);
  add_users(app, command);
  add_tags(app, command);
  add_repositories(app, command);
  add_read_only(app, command);
  add_daemon_commands(app, command);
  add_site_commands(app, command);
  const auto* version = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    const bool asked_for = app.exit(end, out, error) == 0;
    return std::unexpected(asked_for ? ExitStatus::clean : ExitStatus::usage);
  }
  if (version->parsed()) {
    out << version_text << '\n';
    return std::unexpected(ExitStatus::clean);
  }
  return command;
}

}  // namespace entrepot::app
