// The requester, its provider and the administration, against the stand-in for vssapi.dll.

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <optional>
#include <thread>

#include "engine/session.h"
#include "fake_domino.h"
#include "isolated_case.h"
#include "shadow/vss/administration.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/diagnosis.h"
#include "shadow/vss/privileges.h"
#include "shadow/vss/restore_session.h"
#include "shadow/vss/vss_provider.h"
#include "system/path.h"

namespace {

using namespace domino_vss;
using engine::CaptureScope;
using engine::Clock;
using engine::Limits;
using engine::Session;
using std::chrono::milliseconds;
using vss::Exclusion;

constexpr milliseconds kPlenty{30'000};
constexpr std::size_t kDatabases = 4;

constexpr std::uint32_t kFileShareBackup = 0x10;
constexpr std::uint32_t kNasRollback = 0x19;
constexpr std::uint32_t kBackup = 0x00;
constexpr std::uint32_t kAppRollback = 0x09;

vss::RequesterOptions options(std::uint32_t context) {
    vss::RequesterOptions made;
    made.context = context;
    made.volumes = {"C:\\"};
    return made;
}

std::filesystem::path data() {
    return isolated::kDirectory / L"data";
}

void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
}

std::string read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

/// The file as it is in the shadow.
std::filesystem::path inShadow(const vss::ShadowProperties& shadow, const std::wstring& name) {
    return std::filesystem::path(shadow.device + "\\domino-vss-test\\data\\") / name;
}

/// One session of the engine, with databases that only keep the rules.
class Backup {
public:
    explicit Backup(vss::RequesterOptions requester, std::size_t databases = kDatabases) {
        engine::SessionOptions sessionOptions;
        sessionOptions.shards = 2;
        sessionOptions.deltaDirectory = isolated::kDirectory;
        requester.excludeDomino = databases > 0;
        auto made = std::make_unique<vss::VssProvider>(std::move(requester));
        provider = made.get();
        session.emplace(sessionOptions, std::make_unique<fake::FakeSource>(server), std::move(made));
        for (std::size_t i = 0; i < databases; ++i) {
            const std::string name = "db" + std::to_string(i) + ".nsf";
            session->add({name, name, ""});
        }
    }
    Backup(const Backup&) = delete;
    Backup& operator=(const Backup&) = delete;
    ~Backup() {
        session.reset();
        server.waitUntilQuiet();
    }

    using Step = void (Session::*)(milliseconds, Session::Completion);
    std::optional<Failure> run(Step step, milliseconds timeout = kPlenty) {
        return await([&](Session::Completion done) { ((*session).*step)(timeout, std::move(done)); });
    }
    std::optional<Failure> all(milliseconds captureTimeout = kPlenty) {
        if (auto failure = run(&Session::open)) return failure;
        if (auto failure = run(&Session::prepare)) return failure;
        return run(&Session::capture, captureTimeout);
    }
    std::optional<Failure> close(bool keepShadow, bool succeeded, std::vector<std::string> deletedShadows = {},
                                 bool untold = false) {
        return await([&](Session::Completion done) {
            session->close({keepShadow, succeeded, std::move(deletedShadows), untold}, kPlenty, std::move(done));
        });
    }

    fake::Server server;
    vss::VssProvider* provider = nullptr;  // lives with the session
    std::optional<Session> session;

private:
    template <typename Start>
    static std::optional<Failure> await(Start start) {
        std::promise<std::optional<Failure>> answer;
        start([&](const Failure* failure) {
            answer.set_value(failure != nullptr ? std::optional<Failure>(*failure) : std::nullopt);
        });
        return answer.get_future().get();
    }
};

std::vector<vss::ShadowProperties> shadows() {
    const vss::ComApartment apartment;
    return vss::listShadows();
}

const vss::Writer& writerNamed(const vss::RequesterReport& report, std::string_view name) {
    const auto found = std::ranges::find(report.writers, name, &vss::Writer::name);
    CHECK(found != report.writers.end());
    return *found;
}

void requireGood(const std::optional<Failure>& failure) {
    if (failure)
        std::fprintf(stderr, "%s: %s %s (%s) %s\n", failure->code, failure->operation.c_str(),
                     failure->statusName.c_str(), failure->text.c_str(), failure->subject.c_str());
    CHECK(!failure);
}

void makesAVolatileShadowWithoutWriters() {
    write(data() / L"a.nsf", "before");
    {
        Backup backup(options(kFileShareBackup));
        requireGood(backup.all());
        write(data() / L"a.nsf", "after");
        const vss::RequesterReport report = backup.provider->report();
        CHECK(report.setId != vss::Guid{});
        CHECK(report.shadowIds.size() == 1 && report.shadows.size() == 1);
        const vss::ShadowProperties& shadow = report.shadows[0];
        CHECK(shadow.id == report.shadowIds[0] && shadow.setId == report.setId && shadow.setCount == 1);
        CHECK(shadow.volume.starts_with("\\\\?\\Volume{") && shadow.volume.ends_with("}\\"));
        CHECK(shadow.device.starts_with("\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy"));
        CHECK(shadow.state == 12);  // VSS_SS_CREATED
        const std::chrono::duration<double, std::milli> now = std::chrono::system_clock::now().time_since_epoch();
        CHECK(std::abs(now.count() - shadow.createdMs) < 60'000);
        CHECK(report.writers.empty());
        CHECK(read(inShadow(shadow, L"a.nsf")) == "before");
        CHECK(shadows().size() == 1);
        requireGood(backup.close(false, true));
        CHECK(shadows().empty());
    }
    CHECK(isolated::reported("badStates") == 0);
}

void keepsAPersistentShadow() {
    vss::Guid id;
    {
        Backup backup(options(kNasRollback), 0);
        requireGood(backup.all());
        id = backup.provider->report().shadowIds.at(0);
        requireGood(backup.close(true, true));
        isolated::requireNothingAlive();  // nothing holds the object while the session is still referred to
    }
    const vss::ComApartment apartment;
    CHECK(vss::listShadows().size() == 1);
    const vss::Deletion deletion = vss::deleteShadows(id, vss::DeletionKind::shadow, false);
    CHECK(!deletion.failure && deletion.deleted == 1);
    CHECK(vss::listShadows().empty());
    CHECK(!vss::deleteShadows(id, vss::DeletionKind::shadow, false).failure);  // gone already
}

/// What the stand-in was asked.
std::string calls() {
    return read(isolated::kDirectory / L"state" / L"calls.log");
}

void keepsWithoutAnAbortWhatWritersAreNotToldOf() {
    Backup backup(options(kAppRollback), 0);
    requireGood(backup.all());
    requireGood(backup.close(true, false));
    CHECK(shadows().size() == 1);
    CHECK(calls().find("DoSnapshotSet") != std::string::npos);
    CHECK(calls().find("BackupComplete") == std::string::npos);
    CHECK(calls().find("AbortBackup") == std::string::npos);
}

void removesWithoutAnAbortWhatWritersAreNotToldOf() {
    Backup backup(options(kAppRollback), 0);
    requireGood(backup.all());
    requireGood(backup.close(false, false, {}, true));
    CHECK(shadows().empty());
    CHECK(calls().find("DeleteSnapshots") != std::string::npos);
    CHECK(calls().find("BackupComplete") == std::string::npos);
    CHECK(calls().find("AbortBackup") == std::string::npos);
}

void removesWithAnAbortWhatHasFailed() {
    Backup backup(options(kAppRollback), 0);
    requireGood(backup.all());
    requireGood(backup.close(false, false));
    CHECK(shadows().empty());
    CHECK(calls().find("AbortBackup") != std::string::npos);
}

void abortsWhatWritersCouldNotBeToldOf() {
    Backup backup(options(kAppRollback), 0);
    requireGood(backup.all());
    CHECK(backup.close(true, true));
    CHECK(shadows().size() == 1);
    CHECK(calls().find("AbortBackup") != std::string::npos);
}

void keepsDominosWriterOut() {
    Backup backup(options(kBackup));
    requireGood(backup.all());
    const vss::RequesterReport report = backup.provider->report();
    CHECK(writerNamed(report, "Lotus Domino").exclusion == Exclusion::domino);
    CHECK(writerNamed(report, "Lotus Domino").state == 0);
    CHECK(writerNamed(report, "System Writer").exclusion == Exclusion::none);
    CHECK(writerNamed(report, "System Writer").state == 5);  // waiting for BackupComplete
    CHECK(!writerNamed(report, "SqlServerWriter").metadata->document.empty());
    CHECK(writerNamed(report, "SqlServerWriter").metadata->components.size() == 4);
    CHECK(report.componentsDocument && !report.componentsDocument->empty());
    requireGood(backup.close(false, true));
    CHECK(writerNamed(backup.provider->report(), "System Writer").state == 1);  // stable again
    CHECK(isolated::reported("badStates") == 0);
}

void letsDominosWriterInWhenNoDatabaseIsOurs() {
    Backup backup(options(kBackup), 0);
    requireGood(backup.all());
    CHECK(writerNamed(backup.provider->report(), "Lotus Domino").exclusion == Exclusion::none);
    CHECK(writerNamed(backup.provider->report(), "Lotus Domino").state == 5);
    requireGood(backup.close(false, true));
}

void selectsComponents() {
    vss::RequesterOptions asked = options(kBackup);
    asked.componentMode = true;
    asked.excludeWriters = {"Registry Writer", "SqlServerWriter:\\SERVER\\model"};
    asked.verifyWriters = {"SqlServerWriter:\\SERVER\\sales"};
    Backup backup(asked);
    requireGood(backup.all());
    const vss::RequesterReport report = backup.provider->report();
    CHECK(writerNamed(report, "Registry Writer").exclusion == Exclusion::asked);
    CHECK(writerNamed(report, "SqlServerWriter").added.size() == 3);
    requireGood(backup.close(false, true));
    CHECK(isolated::reported("badStates") == 0);
}

void refusesWhatIsNotVerified() {
    vss::RequesterOptions asked = options(kBackup);
    asked.verifyWriters = {"Exchange Writer"};
    Backup backup(asked);
    const auto failure = backup.run(&Session::open);
    CHECK(failure && failure->code == std::string(code::kVssWriterMissing));
    CHECK(failure->subject == "Exchange Writer");
}

void refusesToLeaveOutAComponentInPlainMode() {
    vss::RequesterOptions asked = options(kBackup);
    asked.excludeWriters = {"SqlServerWriter:\\SERVER\\model"};
    Backup backup(asked);
    const auto failure = backup.run(&Session::open);
    CHECK(failure && failure->code == std::string(code::kUnsupported));
}

void namesAVolumeOnce() {
    vss::RequesterOptions asked = options(kFileShareBackup);
    asked.volumes = {"C:\\", "C:\\domino-vss-test\\data", "c:\\"};
    Backup backup(asked);
    requireGood(backup.all());
    const vss::RequesterReport report = backup.provider->report();
    CHECK(report.shadowIds.size() == 3 && report.shadows.size() == 3);
    CHECK(report.shadowIds[0] == report.shadowIds[1] && report.shadowIds[0] == report.shadowIds[2]);
    CHECK(shadows().size() == 1);
    requireGood(backup.close(false, true));
}

void saysWhichVolumeIsNotSupported() {
    Backup backup(options(kFileShareBackup));
    const auto failure = backup.run(&Session::open);
    CHECK(failure && failure->statusName == "VSS_E_VOLUME_NOT_SUPPORTED" && failure->domain == Domain::com);
}

/// Whatever fails, everything comes out, nothing stays, and it is the failing method that is named.
void comesOutOfAnyFailure(std::uint32_t context, const std::string& method, const std::string& statusName) {
    {
        Backup backup(options(context));
        std::optional<Failure> failure = backup.all();
        if (!failure) failure = backup.close(false, true);
        CHECK(failure);
        if (failure->statusName != statusName)
            std::fprintf(stderr, "%s %s %s\n", failure->operation.c_str(), failure->statusName.c_str(),
                         failure->text.c_str());
        CHECK(failure->statusName == statusName);
        CHECK(failure->operation.ends_with("::" + method));
        CHECK(backup.server.inBackup == 0 && backup.server.open == 0);
        requireGood(backup.close(false, false));
    }
    CHECK(shadows().empty());
}

void aFailedWriterFailsTheBackup() {
    Backup backup(options(kBackup));
    const auto failure = backup.all();
    CHECK(failure && failure->code == std::string(code::kVssWriter));
    CHECK(failure->subject == "SqlServerWriter" && failure->statusName == "VSS_E_WRITERERROR_NONRETRYABLE");
    CHECK(writerNamed(backup.provider->report(), "SqlServerWriter").failed());
    CHECK(shadows().empty());
}

/// Its service ends after it has told its metadata, and then it is in no list of states.
void aWriterThatVanishesFailsTheBackup(const char* operation) {
    vss::RequesterOptions asked = options(kBackup);
    asked.verifyWriters = {"SqlServerWriter"};
    Backup backup(asked);
    std::optional<Failure> failure = backup.all();
    if (!failure) failure = backup.close(false, true);
    CHECK(failure && failure->code == std::string(code::kVssWriter));
    CHECK(failure->subject == "SqlServerWriter" && failure->statusName == "VSS_E_WRITER_NOT_RESPONDING");
    CHECK(failure->operation == std::string("IVssBackupComponents::") + operation);
    CHECK(writerNamed(backup.provider->report(), "SqlServerWriter").state == 0);
    CHECK(writerNamed(backup.provider->report(), "Lotus Domino").failure == 0);  // excluded: nobody expects its state
    requireGood(backup.close(false, false));
    CHECK(shadows().empty());
}

void aWriterThatVanishesFailsTheBackupOfItsComponents() {
    vss::RequesterOptions asked = options(kBackup);
    asked.componentMode = true;
    Backup backup(asked);
    const auto failure = backup.all();
    CHECK(failure && failure->code == std::string(code::kVssWriter) && failure->subject == "SqlServerWriter");
}

/// Nobody has named it, and nothing of it was added.
void aWriterThatNobodyCountsOnMayVanish() {
    Backup backup(options(kBackup));
    requireGood(backup.all());
    requireGood(backup.close(false, true));
    const vss::RequesterReport report = backup.provider->report();
    CHECK(std::ranges::count_if(report.warnings, [](const vss::Warning& warning) {
              return warning.message.find("SqlServerWriter has vanished") != std::string::npos;
          }) == 1);
    CHECK(writerNamed(report, "SqlServerWriter").failed());
}

void aWriterThatVanishesIsListedSo() {
    const vss::ComApartment apartment;
    for (const vss::Writer& writer : vss::listWriters(true, {{}, Clock::now() + kPlenty}))
        CHECK(writer.failed() == (writer.name == "SqlServerWriter"));
}

void anExcludedWriterMayFail() {
    vss::RequesterOptions asked = options(kBackup);
    asked.excludeWriters = {"SqlServerWriter", "SqlWriter"};
    Backup backup(asked);
    requireGood(backup.all());
    CHECK(std::ranges::count_if(backup.provider->report().warnings, [](const vss::Warning& warning) {
              return warning.message.find("\"SqlWriter\"") != std::string::npos;
          }) == 1);
    CHECK(std::ranges::none_of(backup.provider->report().warnings, [](const vss::Warning& warning) {
        return warning.message.find("\"SqlServerWriter\"") != std::string::npos;
    }));
    requireGood(backup.close(false, true));
}

void cancelsWhileTheShadowIsMade() {
    {
        Backup backup(options(kNasRollback));
        requireGood(backup.run(&Session::open));
        requireGood(backup.run(&Session::prepare));
        std::thread canceller([&] {
            for (int i = 0; i < 1000 && backup.server.inBackup != static_cast<int>(kDatabases); ++i) ::Sleep(5);
            ::Sleep(100);
            backup.session->cancel();
        });
        const auto begin = Clock::now();
        const auto failure = backup.run(&Session::capture);
        canceller.join();
        CHECK(failure && failure->code == std::string(code::kAborted));
        CHECK(Clock::now() - begin < kPlenty / 2);
        CHECK(backup.server.inBackup == 0 && backup.server.open == 0);
    }
    CHECK(shadows().empty());
}

void givesUpAtTheDeadline() {
    {
        Backup backup(options(kNasRollback));
        const auto failure = backup.all(milliseconds(500));
        CHECK(failure && failure->code == std::string(code::kDeadline));
        CHECK(backup.server.inBackup == 0);
    }
    CHECK(shadows().empty());
}

void namesAShadowThatMayStillAppear() {
    {
        vss::RequesterOptions asked = options(kNasRollback);
        asked.cancelPatience = milliseconds(300);
        Backup backup(asked);
        const auto failure = backup.all(milliseconds(500));
        CHECK(failure && failure->code == std::string(code::kDeadline));
        CHECK(backup.server.inBackup == 0);
        const auto left = backup.close(false, false);
        CHECK(left && left->code == std::string(code::kShadow));
        CHECK(left->subject == vss::formatGuid(backup.provider->report().setId));
        for (int i = 0; i < 1000 && shadows().empty(); ++i) ::Sleep(20);
        CHECK(shadows().size() == 1);
        requireGood(backup.close(false, false));
    }
    CHECK(shadows().empty());
}

void startsOverWhereAnotherSetIsMade() {
    Backup backup(options(kBackup));
    requireGood(backup.all());
    CHECK(backup.provider->report().shadows.size() == 1);
    const std::string seen = calls();
    const auto refused = seen.find("AddToSnapshotSet");
    CHECK(refused != std::string::npos && seen.find("InitializeForBackup", refused) != std::string::npos);
    CHECK(seen.find("AbortBackup", refused) < seen.find("InitializeForBackup", refused));
    requireGood(backup.close(false, true));
}

void waitsForAnotherRequester() {
    Backup backup(options(kFileShareBackup));
    requireGood(backup.run(&Session::open));
    {
        const vss::ComApartment apartment;
        vss::Requester other(options(kFileShareBackup));
        const Limits limits{{}, Clock::now() + kPlenty};
        other.begin(limits);
        other.openSet(limits);
        const auto failure = backup.run(&Session::prepare, milliseconds(600));
        CHECK(failure && failure->statusName == "VSS_E_SNAPSHOT_SET_IN_PROGRESS");

        Backup second(options(kFileShareBackup));
        requireGood(second.run(&Session::open));
        std::thread release([&] {
            const vss::ComApartment member;
            ::Sleep(600);
            other.remove();
        });
        const auto begin = Clock::now();
        requireGood(second.run(&Session::prepare));
        CHECK(Clock::now() - begin > milliseconds(400));
        release.join();
        requireGood(second.run(&Session::capture));
        requireGood(second.close(false, true));
    }
}

void noticesAShadowThatVanished() {
    Backup backup(options(kNasRollback));
    requireGood(backup.all());
    {
        const vss::ComApartment apartment;
        CHECK(vss::deleteShadows(backup.provider->report().setId, vss::DeletionKind::set, true).deleted == 1);
    }
    const auto failure = backup.close(false, true);
    CHECK(failure && failure->code == std::string(code::kShadowVanished));
    requireGood(backup.close(false, true));
}

void tellsWritersOfAShadowThatTheCallerHasDeleted() {
    Backup backup(options(kAppRollback), 0);
    requireGood(backup.all());
    const vss::RequesterReport made = backup.provider->report();
    {
        const vss::ComApartment apartment;
        CHECK(vss::deleteShadows(made.setId, vss::DeletionKind::set, true).deleted == 1);
    }
    requireGood(backup.close(false, true, {vss::formatGuid(made.shadowIds.at(0))}));
    CHECK(backup.provider->report().warnings.size() == made.warnings.size());
    CHECK(calls().find("BackupComplete.async") != std::string::npos);
    CHECK(calls().find("AbortBackup") == std::string::npos);
}

void saysThatATransportableSetIsLeft() {
    constexpr std::uint32_t kTransportable = 0x20;
    Backup backup(options(kNasRollback | kTransportable));
    requireGood(backup.all());
    const auto failure = backup.close(false, true);
    CHECK(failure && failure->code == std::string(code::kShadow));
    CHECK(failure->text.find("before it is imported") != std::string::npos);
    requireGood(backup.close(false, true));  // there is nothing more to be done
}

/// Whether SeBackupPrivilege is enabled in this process.
bool readsFilesOfOthers() {
    HANDLE token = nullptr;
    CHECK(::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token) != 0);
    PRIVILEGE_SET wanted{};
    wanted.PrivilegeCount = 1;
    CHECK(::LookupPrivilegeValueW(nullptr, L"SeBackupPrivilege", &wanted.Privilege[0].Luid) != 0);
    BOOL enabled = FALSE;
    CHECK(::PrivilegeCheck(token, &wanted, &enabled) != 0);
    ::CloseHandle(token);
    return enabled != FALSE;
}

void letsGoOfAVolatileShadowThatCannotBeDeleted() {
    Backup backup(options(kFileShareBackup));
    requireGood(backup.all());
    CHECK(shadows().size() == 1 && readsFilesOfOthers());
    requireGood(backup.close(false, true));
    isolated::requireNothingAlive();
    CHECK(shadows().empty() && !readsFilesOfOthers());
    const auto& warnings = backup.provider->report().warnings;
    CHECK(std::ranges::count_if(warnings, [](const vss::Warning& warning) {
              return warning.message.find("DeleteSnapshots") != std::string::npos;
          }) == 1);
}

void namesAPersistentShadowThatCannotBeDeleted() {
    Backup backup(options(kNasRollback));
    requireGood(backup.all());
    const auto failure = backup.close(false, true);
    CHECK(failure && failure->statusName == "VSS_E_PROVIDER_VETO");
    CHECK(failure->operation == "IVssBackupComponents::DeleteSnapshots");
    CHECK(shadows().size() == 1 && !readsFilesOfOthers());  // nobody reads it for this backup any more
}

void listsAndExposes() {
    write(data() / L"a.nsf", "before");
    Backup backup(options(kNasRollback));
    requireGood(backup.all());
    const vss::Guid id = backup.provider->report().shadowIds[0];
    {
        const vss::ComApartment apartment;
        CHECK(vss::whyNotVss().empty());
        const auto providers = vss::listProviders();
        CHECK(!providers.empty() && providers[0].name.find("Microsoft") != std::string::npos);
        CHECK(vss::formatGuid(providers[0].id) == "{b5946137-7b9f-4925-af80-51abd60b20d5}");
        const auto writers = vss::listWriters(true, {{}, Clock::now() + kPlenty});
        CHECK(writers.size() == 6 && std::ranges::all_of(writers, [](const auto& one) { return one.state == 1; }));
        CHECK(vss::isVolumeSupported("C:\\", {}));
        const std::string place = vss::exposeShadow({id, vss::ExposureKind::local, "Q:\\", ""});
        CHECK(place.starts_with("Q:"));
        CHECK(read(L"Q:\\domino-vss-test\\data\\a.nsf") == "before");
        CHECK(vss::listShadows().at(0).exposedName.starts_with("Q:"));
        vss::unexposeShadow(id);
        CHECK(vss::listShadows().at(0).exposedName.empty());
        try {
            vss::unexposeShadow(id);
            CHECK(false);
        } catch (const Failure& failure) {
            CHECK(failure.statusName == "VSS_E_OBJECT_NOT_FOUND");
        }
    }
    requireGood(backup.close(false, true));
}

/// Not where the next case cleans up: under Wine nobody can remove what leads nowhere.
std::filesystem::path newPlace() {
    const std::filesystem::path place = L"C:\\domino-vss-shown-" + std::to_wstring(::GetCurrentProcessId());
    std::filesystem::create_directory(place);
    return place;
}

/// Where a deleted shadow leaves its place behind, that one would lead nowhere.
void takesTheExposureAwayFirst() {
    const std::filesystem::path place = newPlace();
    write(data() / L"a.nsf", "before");
    Backup backup(options(kNasRollback));
    requireGood(backup.all());
    {
        const vss::ComApartment apartment;
        const vss::Guid id = backup.provider->report().shadowIds[0];
        static_cast<void>(vss::exposeShadow({id, vss::ExposureKind::local, utf8Of(place), ""}));
        CHECK(read(place / L"domino-vss-test" / L"data" / L"a.nsf") == "before");
    }
    requireGood(backup.close(false, true));
    CHECK(shadows().empty());
    CHECK(std::filesystem::is_directory(place) && std::filesystem::is_empty(place));
    std::filesystem::remove(place);
}

void deletesAlthoughItsPlaceStays() {
    const std::filesystem::path place = newPlace();
    Backup backup(options(kNasRollback));
    requireGood(backup.all());
    {
        const vss::ComApartment apartment;
        const vss::Guid id = backup.provider->report().shadowIds[0];
        static_cast<void>(vss::exposeShadow({id, vss::ExposureKind::local, utf8Of(place), ""}));
    }
    requireGood(backup.close(false, true));
    CHECK(shadows().empty());
    CHECK(std::ranges::count_if(backup.provider->report().warnings, [&](const vss::Warning& warning) {
              return warning.message.find(utf8Of(place)) != std::string::npos;
          }) == 1);
    std::filesystem::remove(place);
}

/// The document of a backup with all components.
std::string componentsDocument() {
    vss::RequesterOptions asked = options(kBackup);
    asked.componentMode = true;
    Backup backup(asked);
    requireGood(backup.all());
    requireGood(backup.close(false, true));
    return *backup.provider->report().componentsDocument;
}

void restoresWithWriters() {
    const std::string document = componentsDocument();
    const Limits limits{{}, Clock::now() + kPlenty};
    const vss::ComApartment apartment;
    vss::RestoreSession restore(document, limits);
    CHECK(std::ranges::any_of(restore.writers(),
                              [](const auto& writer) { return writer.name == "SqlServerWriter" && writer.present; }));
    restore.preRestore(limits);
    restore.postRestore(vss::RestoreOutcome::all, limits);
    restore.close();
    restore.close();
    const std::size_t told = calls().find("SetFileRestoreStatus");
    CHECK(told != std::string::npos && told < calls().find("IVssBackupComponents::PostRestore"));
    CHECK(isolated::reported("restoreStatus.failed") == 0 && isolated::reported("restoreStatus.none") == 0);
}

void tellsWritersOfAFailedRestore(vss::RestoreOutcome outcome, const char* reported) {
    const std::string document = componentsDocument();
    const Limits limits{{}, Clock::now() + kPlenty};
    const vss::ComApartment apartment;
    vss::RestoreSession restore(document, limits);
    restore.preRestore(limits);
    restore.postRestore(outcome, limits);
    restore.close();
    CHECK(isolated::reported(reported) > 0);
    CHECK(calls().find("IVssBackupComponents::PostRestore") != std::string::npos);
}

void aWriterThatFailsFailsTheRestore() {
    const std::string document = componentsDocument();
    const Limits limits{{}, Clock::now() + kPlenty};
    const vss::ComApartment apartment;
    vss::RestoreSession restore(document, limits);
    restore.preRestore(limits);
    try {
        restore.postRestore(vss::RestoreOutcome::all, limits);
        CHECK(false);
    } catch (const Failure& failure) {
        CHECK(failure.code == std::string(code::kVssWriter));
        CHECK(failure.operation == "IVssBackupComponents::PostRestore" && failure.subject == "SqlServerWriter");
        CHECK(failure.statusName == "VSS_E_WRITERERROR_RETRYABLE");
    }
}

void saysThatItIsNotElevated() {
    const vss::ComApartment apartment;
    const auto reasons = vss::whyNotVss();
    CHECK(reasons.size() == 1 && reasons[0].code == std::string(code::kVssAccess));
    CHECK(reasons[0].status == 0x80070005);
}

void warnsOfSecurityThatOthersSetUp() {
    CHECK(SUCCEEDED(::CoInitializeEx(nullptr, COINIT_MULTITHREADED)));
    Backup backup(options(kFileShareBackup));
    requireGood(backup.all());
    requireGood(backup.close(false, true));
    ::CoUninitialize();
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<isolated::Case> cases{
        {"a volatile shadow without writers", "", makesAVolatileShadowWithoutWriters},
        {"a persistent shadow is kept", "", keepsAPersistentShadow},
        {"a shadow is kept without an abort when writers are not told", "log=1\n",
         keepsWithoutAnAbortWhatWritersAreNotToldOf},
        {"a shadow is removed without an abort when writers are not told", "log=1\n",
         removesWithoutAnAbortWhatWritersAreNotToldOf},
        {"a shadow is removed with an abort when the backup has failed", "log=1\n", removesWithAnAbortWhatHasFailed},
        {"a shadow is kept with an abort when writers cannot be told", "log=1\nfault.BackupComplete.1=0x80042302\n",
         abortsWhatWritersCouldNotBeToldOf},
        {"Domino's own writer is kept out", "", keepsDominosWriterOut},
        {"Domino's own writer may take part when no database is ours", "", letsDominosWriterInWhenNoDatabaseIsOurs},
        {"components are selected", "", selectsComponents},
        {"what is not verified is refused", "", refusesWhatIsNotVerified},
        {"plain mode cannot leave out a component", "", refusesToLeaveOutAComponentInPlainMode},
        {"a volume is named once", "", namesAVolumeOnce},
        {"an unsupported volume is named", "volume.C.supported=0\n", saysWhichVolumeIsNotSupported},
        {"a failed writer fails the backup", "writer.sql.fault.Freeze=nonretryable\n", aFailedWriterFailsTheBackup},
        {"an excluded writer may fail", "writer.sql.fault.Freeze=nonretryable\n", anExcludedWriterMayFail},
        {"a writer that vanishes fails the backup of its components", "writer.sql.vanishes=PrepareForBackup\n",
         aWriterThatVanishesFailsTheBackupOfItsComponents},
        {"a writer that nobody counts on may vanish while the set is prepared",
         "writer.sql.vanishes=PrepareForBackup\n", aWriterThatNobodyCountsOnMayVanish},
        {"a writer that nobody counts on may vanish while the shadow is made", "writer.sql.vanishes=PostSnapshot\n",
         aWriterThatNobodyCountsOnMayVanish},
        {"a writer that nobody counts on may vanish at the end", "writer.sql.vanishes=BackupComplete\n",
         aWriterThatNobodyCountsOnMayVanish},
        {"a writer that vanishes while the set is prepared fails the backup", "writer.sql.vanishes=PrepareForBackup\n",
         [] { aWriterThatVanishesFailsTheBackup("PrepareForBackup"); }},
        {"a writer that vanishes while the shadow is made fails the backup", "writer.sql.vanishes=PostSnapshot\n",
         [] { aWriterThatVanishesFailsTheBackup("DoSnapshotSet"); }},
        {"a writer that vanishes at the end fails the backup", "writer.sql.vanishes=BackupComplete\n",
         [] { aWriterThatVanishesFailsTheBackup("BackupComplete"); }},
        {"a writer that vanishes is listed as one that does not answer", "writer.sql.vanishes=Identify\n",
         aWriterThatVanishesIsListedSo},
        {"a cancel takes all out while the shadow is made", "latency.phase.Commit=60000\n",
         cancelsWhileTheShadowIsMade},
        {"a cancel that comes too late leaves nothing", "latency.phase.Commit=1500\ncancel=late\n",
         cancelsWhileTheShadowIsMade},
        {"a shadow that hangs ends at the deadline", "latency.phase.Commit=60000\n", givesUpAtTheDeadline},
        {"a cancelled shadow that may still appear is named", "latency.phase.Commit=3000\ncancel=fail\nabort=late\n",
         namesAShadowThatMayStillAppear},
        {"a set that is being made elsewhere is waited for", "log=1\nfault.AddToSnapshotSet.1=0x80042316\n",
         startsOverWhereAnotherSetIsMade},
        {"another requester is waited for", "", waitsForAnotherRequester},
        {"a shadow that vanished is noticed", "", noticesAShadowThatVanished},
        {"writers are told of a shadow that the caller has deleted", "log=1\n",
         tellsWritersOfAShadowThatTheCallerHasDeleted},
        {"a transportable set that cannot be deleted is named", "hardware_provider=1\n",
         saysThatATransportableSetIsLeft},
        {"a volatile shadow that cannot be deleted goes with its object", "volume.C.delete_fails=0x80042306\n",
         letsGoOfAVolatileShadowThatCannotBeDeleted},
        {"a volatile shadow goes although no other object can be made",
         "fault.DeleteSnapshots.1=0x80042306\nfault.SetContext.3=0x80042302\n",
         letsGoOfAVolatileShadowThatCannotBeDeleted},
        {"a persistent shadow that cannot be deleted is named", "volume.C.delete_fails=0x80042306\n",
         namesAPersistentShadowThatCannotBeDeleted},
        {"shadows are listed and exposed", "", listsAndExposes},
        {"a place where a shadow is exposed is taken away before the shadow", "", takesTheExposureAwayFirst},
        {"a shadow is deleted although its place cannot be taken away",
         "fault.UnexposeSnapshot.*=0x80042302\ndelete_takes_exposure=1\n", deletesAlthoughItsPlaceStays},
        {"a restore with writers", "log=1\n", restoresWithWriters},
        {"writers are told of a failed restore", "log=1\n",
         [] { tellsWritersOfAFailedRestore(vss::RestoreOutcome::failed, "restoreStatus.failed"); }},
        {"writers are told of a restore that touched nothing", "log=1\n",
         [] { tellsWritersOfAFailedRestore(vss::RestoreOutcome::none, "restoreStatus.none"); }},
        {"a failed writer fails the restore", "writer.sql.fault.PostRestore=retryable\n",
         aWriterThatFailsFailsTheRestore},
        {"a process that is not elevated is told so", "elevated=0\n", saysThatItIsNotElevated},
        {"COM may be set up already", "", warnsOfSecurityThatOthersSetUp},
    };
    struct Fault {
        std::uint32_t context;
        const char* setting;
        const char* method;
    };
    // Every method that a backup calls. The look-up of writers comes first, with its own InitializeForBackup and
    // GatherWriterMetadata.
    static const std::vector<Fault> kFaults{
        {kFileShareBackup, "InitializeForBackup.1", "InitializeForBackup"},
        {kFileShareBackup, "SetContext.1", "SetContext"},
        {kFileShareBackup, "IsVolumeSupported.1", "IsVolumeSupported"},
        {kBackup, "SetBackupState.1", "SetBackupState"},
        {kBackup, "GatherWriterMetadata.1", "GatherWriterMetadata"},
        {kBackup, "GatherWriterMetadata.async.1", "GatherWriterMetadata"},
        {kBackup, "GatherWriterMetadata.async.2", "GatherWriterMetadata"},
        {kBackup, "DisableWriterClasses.1", "DisableWriterClasses"},
        {kBackup, "StartSnapshotSet.1", "StartSnapshotSet"},
        {kBackup, "AddToSnapshotSet.1", "AddToSnapshotSet"},
        {kBackup, "PrepareForBackup.1", "PrepareForBackup"},
        {kBackup, "PrepareForBackup.async.1", "PrepareForBackup"},
        {kBackup, "GatherWriterStatus.1", "GatherWriterStatus"},
        {kBackup, "GatherWriterStatus.async.1", "GatherWriterStatus"},
        {kBackup, "DoSnapshotSet.1", "DoSnapshotSet"},
        {kBackup, "DoSnapshotSet.async.1", "DoSnapshotSet"},
        {kFileShareBackup, "DoSnapshotSet.async.1", "DoSnapshotSet"},
        {kNasRollback, "DoSnapshotSet.async.1", "DoSnapshotSet"},
        {kBackup, "GatherWriterStatus.async.2", "GatherWriterStatus"},
        {kBackup, "GetSnapshotProperties.1", "GetSnapshotProperties"},
        {kBackup, "SaveAsXML.*", "SaveAsXML"},
        {kBackup, "BackupComplete.1", "BackupComplete"},
        {kBackup, "BackupComplete.async.1", "BackupComplete"},
        {kBackup, "GatherWriterStatus.async.3", "GatherWriterStatus"},
    };
    for (const Fault& fault : kFaults)
        cases.push_back({fault.setting, std::string("fault.") + fault.setting + "=0x80042302\n",
                         [&fault] { comesOutOfAnyFailure(fault.context, fault.method, "VSS_E_UNEXPECTED"); }});
    return isolated::run(count, arguments, cases);
}
