// Creates a data directory with notes.ini and databases.

#include "create.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "arguments.h"
#include "commands.h"
#include "json.h"
#include "timedate.h"
#include "translog.h"
#include "utf8_path.h"

namespace domino_sim::cli {

namespace fs = std::filesystem;

namespace {

struct CreateOptions {
    fs::path data;
    fs::path ini;
    std::string program;
    std::size_t databases = 0;
    std::uint32_t minimumPages = 4;
    std::uint32_t maximumPages = 64;
    std::uint64_t seed = 1;
    std::string log = "circular";
    double unloggedShare = 0.2;
    bool hasLinks = false;
    bool hasPlainNames = false;
    std::vector<std::string> settings;
};

// Files in a data directory besides mail files; small directories contain the first ones.
constexpr const char* kSpecialNames[] = {
    "names.nsf",
    "mail.box",
    "log.nsf",
    "Büro/Ärger ñ.nsf",
    "mail/Ελένη.nsf",
    "apps/CRM/Kunden.NSF",
    "admin4.nsf",
    "busytime.nsf",
    "Templates/mail14.ntf",
    "apps/Москва/план.nsf",
    "apps/日本.nsf",
    "help/Help Client.nsf",
};

std::string databaseName(const CreateOptions& options, std::size_t number) {
    char name[64];
    if (options.hasPlainNames) {
        std::snprintf(name, sizeof name, "mail/db%06zu.nsf", number);
        return name;
    }
    // Mail files and special names alternate, so that small directories contain both.
    const std::size_t special = number / 2;
    if (number % 2 == 0 && special < std::size(kSpecialNames)) {
        return kSpecialNames[special];
    }
    const std::size_t plain = number - std::min(special + 1, std::size(kSpecialNames));
    if (plain % 10 == 9) {
        std::snprintf(name, sizeof name, "apps/dir%02zu/App%06zu.nsf", plain / 10 % 20, plain);
    } else {
        std::snprintf(name, sizeof name, "mail/user%06zu.nsf", plain);
    }
    return name;
}

const char* styleNumber(const std::string& log) {
    if (log == "circular" || log == "none") {
        return "0";
    }
    if (log == "archive") {
        return "1";
    }
    if (log == "linear") {
        return "2";
    }
    throw UsageError("--log is circular, linear, archive or none");
}

void writeIni(const CreateOptions& options) {
    std::ofstream ini(options.ini);
    ini << "[Notes]\nDirectory=" << options.data.string() << "\nNotesProgram=" << options.program
        << "\nKeyFilename=server.id\nServerName=CN=Sim/O=Test\nTRANSLOG_Status=" << (options.log == "none" ? "0" : "1")
        << "\nTRANSLOG_Style=" << styleNumber(options.log) << "\nTRANSLOG_Path=logdir\n";
    for (const std::string& setting : options.settings) {
        ini << setting << '\n';
    }
    ini.flush();
    if (!ini) {
        throw UsageError("cannot write " + options.ini.string());
    }
}

/** Files that a backup program must not mistake for databases. */
void writeOtherFiles(const fs::path& data) {
    fs::create_directories(data / "mail" / "user000001.ft");
    std::ofstream(data / "readme.txt") << "not a database\n";
    std::ofstream(data / "broken.nsf") << std::string(8192, 'x');
    std::ofstream(data / "short.nsf") << "xy";
    std::ofstream(data / "mail" / "user000001.ft" / "index.dat") << "full text index\n";
    std::ofstream(data / "~notes01.dtf") << std::string(4096, '\0');
    std::ofstream(data / "server.id") << "identity\n";
}

class Creator {
public:
    Creator(const CreateOptions& options, Environment& environment)
        : options_(options), random_(options.seed), isServerLogged_(isServerLogged(environment)) {
        if (isServerLogged_) {
            logId_ = logPosition(environment).logId;
        }
    }

    void write(const fs::path& path, bool canBeLogged) {
        fs::create_directories(path.parent_path());
        NewDatabase database;
        database.databaseId = uniqueTimeDate();
        database.replicaId = uniqueTimeDate();
        database.seed = random_.next();
        const std::uint32_t range = options_.maximumPages - options_.minimumPages + 1;
        database.pages = options_.minimumPages + random_.below(range);
        database.isLogged = canBeLogged && isServerLogged_ && random_.unit() >= options_.unloggedShare;
        database.logId = logId_;
        database.title = "Database " + path.stem().string();
        writeDatabaseFile(path.string(), database);
    }

private:
    CreateOptions options_;
    Random random_;
    bool isServerLogged_;
    Unid logId_{};
};

/** Databases outside the data directory, reached through a database link and a directory link. */
std::vector<std::string> writeLinked(Creator& creator, const CreateOptions& options) {
    const fs::path outside = pathOf(options.data.string() + "-outside");
    creator.write(outside / "single" / "linked database.nsf", false);
    creator.write(outside / "archive" / "old1.nsf", false);
    creator.write(outside / "archive" / "2019" / "old2.nsf", false);
    fs::create_directories(options.data / "links");
    std::ofstream(options.data / "links" / "linked.nsf")
        << (outside / "single" / "linked database.nsf").string() << '\n';
    std::ofstream(options.data / "archive.dir") << (outside / "archive").string() << '\n';
    std::ofstream(options.data / "links" / "dangling.nsf") << (outside / "nothing.nsf").string() << '\n';
    return {"links/linked.nsf", "archive/old1.nsf", "archive/2019/old2.nsf"};
}

CreateOptions parse(const std::vector<std::string>& words) {
    const Arguments arguments(words,
                              {"data", "program", "databases", "pages", "seed", "log", "unlogged-share", "ini", "set"},
                              {"links", "plain-names"});
    CreateOptions options;
    options.data = fs::absolute(pathOf(arguments.require("data"))).make_preferred();
    options.ini = fs::absolute(pathOf(arguments.text("ini", (options.data / "notes.ini").string()))).make_preferred();
    options.program = fs::absolute(pathOf(arguments.require("program"))).make_preferred().string();
    options.databases = static_cast<std::size_t>(parseNumber(arguments.require("databases")));
    if (const auto pages = arguments.find("pages")) {
        const auto colon = pages->find(':');
        options.minimumPages = static_cast<std::uint32_t>(parseNumber(pages->substr(0, colon)));
        options.maximumPages = colon == std::string::npos
                                   ? options.minimumPages
                                   : static_cast<std::uint32_t>(parseNumber(pages->substr(colon + 1)));
    }
    if (options.minimumPages < kMinimumPages || options.maximumPages < options.minimumPages) {
        throw UsageError("--pages MIN:MAX, at least 3");
    }
    options.seed = static_cast<std::uint64_t>(arguments.number("seed", 1));
    options.log = arguments.text("log", "circular");
    options.unloggedShare = arguments.number("unlogged-share", 0.2);
    options.hasLinks = arguments.has("links");
    options.hasPlainNames = arguments.has("plain-names");
    options.settings = arguments.all("set");
    return options;
}

}  // namespace

int createCommand(const std::vector<std::string>& words) {
    const CreateOptions options = parse(words);
    fs::create_directories(options.data);
    Partition::destroy(options.data.string());  // of an earlier directory of the same name
    writeIni(options);
    const auto environment = environmentOf(options.ini.string(), ProcessRole::writer);
    Creator creator(options, *environment);
    Json names = Json::array();
    for (std::size_t number = 0; number < options.databases; ++number) {
        const std::string name = databaseName(options, number);
        creator.write(options.data / pathOf(name), true);
        names.append(name);
    }
    writeOtherFiles(options.data);
    if (options.hasLinks) {
        for (const std::string& name : writeLinked(creator, options)) {
            names.append(name);
        }
    }
    std::puts(Json::object()
                  .add("notesIni", options.ini.string())
                  .add("dataDirectory", options.data.string())
                  .add("databases", names)
                  .text()
                  .c_str());
    return 0;
}

}  // namespace domino_sim::cli
