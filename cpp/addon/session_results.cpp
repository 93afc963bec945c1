#include "addon/session_results.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "addon/records.h"

namespace domino_vss::addon {

namespace {

/// The values of `DatabaseState` in lib/native/session.ts.
std::uint8_t stateValue(engine::State state) {
    switch (state) {
        case engine::State::captured: return 2;
        case engine::State::skipped: return 3;
        case engine::State::pending:
        case engine::State::opening: return 0;
        default: return 1;
    }
}

double milliseconds(std::int64_t ns, std::int64_t originNs) {
    if (ns == engine::kNever) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(ns - originNs) / 1e6;
}

template <std::size_t Size>
void put(Napi::Uint8Array& column, std::size_t row, const std::array<std::uint8_t, Size>& bytes) {
    std::ranges::copy(bytes, column.Data() + row * Size);
}

/// Columns of the result. The arrays belong to JavaScript from the start.
struct Columns {
    Columns(Napi::Env env, std::size_t count)
        : state(Napi::Uint8Array::New(env, count)),
          shard(Napi::Uint16Array::New(env, count)),
          startSizeBytes(Napi::Float64Array::New(env, count)),
          deltaBytes(Napi::Float64Array::New(env, count)),
          announcedBytes(Napi::Float64Array::New(env, count)),
          logged(Napi::Uint8Array::New(env, count)),
          logExtent(Napi::Uint32Array::New(env, count)),
          logId(Napi::Uint8Array::New(env, count * 16)),
          dbiid(Napi::Uint8Array::New(env, count * 16)),
          replicaId(Napi::Uint8Array::New(env, count * 8)),
          modified(Napi::Uint8Array::New(env, count * 16)),
          startCalledMs(Napi::Float64Array::New(env, count)),
          startReturnedMs(Napi::Float64Array::New(env, count)),
          stopCalledMs(Napi::Float64Array::New(env, count)),
          stopReturnedMs(Napi::Float64Array::New(env, count)) {}

    void fill(std::size_t row, const engine::DatabaseRecord& record, std::int64_t originNs) {
        const engine::State present = record.state.load(std::memory_order_acquire);
        state[row] = stateValue(present);
        startCalledMs[row] = milliseconds(record.startCalledNs, originNs);
        startReturnedMs[row] = milliseconds(record.startReturnedNs, originNs);
        stopCalledMs[row] = milliseconds(record.stopCalledNs, originNs);
        stopReturnedMs[row] = milliseconds(record.stopReturnedNs, originNs);
        // Until the database has settled, the other members belong to the shard thread.
        if (present == engine::State::captured || present == engine::State::open) {
            shard[row] = record.shard;
            logged[row] = record.log.logged ? 1 : 0;
            logExtent[row] = record.log.logExtent;
            put(logId, row, record.log.logId);
            put(dbiid, row, record.log.dbiid);
            put(replicaId, row, record.replicaId);
            put(modified, row, record.modified);
        }
        if (present == engine::State::captured) {
            startSizeBytes[row] = static_cast<double>(record.startSizeBytes);
            deltaBytes[row] = static_cast<double>(record.deltaBytes);
            announcedBytes[row] = static_cast<double>(record.announcedBytes);
        }
    }

    void attach(Napi::Object& object) {
        object["state"] = state;
        object["shard"] = shard;
        object["startSizeBytes"] = startSizeBytes;
        object["deltaBytes"] = deltaBytes;
        object["announcedBytes"] = announcedBytes;
        object["logged"] = logged;
        object["logExtent"] = logExtent;
        object["logId"] = logId;
        object["dbiid"] = dbiid;
        object["replicaId"] = replicaId;
        object["modified"] = modified;
        object["startCalledMs"] = startCalledMs;
        object["startReturnedMs"] = startReturnedMs;
        object["stopCalledMs"] = stopCalledMs;
        object["stopReturnedMs"] = stopReturnedMs;
    }

    Napi::Uint8Array state;
    Napi::Uint16Array shard;
    Napi::Float64Array startSizeBytes;
    Napi::Float64Array deltaBytes;
    Napi::Float64Array announcedBytes;
    Napi::Uint8Array logged;
    Napi::Uint32Array logExtent;
    Napi::Uint8Array logId;
    Napi::Uint8Array dbiid;
    Napi::Uint8Array replicaId;
    Napi::Uint8Array modified;
    Napi::Float64Array startCalledMs;
    Napi::Float64Array startReturnedMs;
    Napi::Float64Array stopCalledMs;
    Napi::Float64Array stopReturnedMs;
};

Napi::Array phaseList(Napi::Env env, const std::vector<engine::PhaseSpan>& spans, std::int64_t originNs) {
    Napi::Array phases = Napi::Array::New(env, spans.size());
    for (std::uint32_t i = 0; i < spans.size(); ++i) {
        Napi::Object phase = Napi::Object::New(env);
        phase["phase"] = phaseName(spans[i].phase);
        phase["beginMs"] = milliseconds(spans[i].beginNs, originNs);
        phase["endMs"] = milliseconds(spans[i].endNs, originNs);
        phases.Set(i, phase);
    }
    return phases;
}

Napi::Object serverTime(Napi::Env env, const engine::ServerTime& time) {
    Napi::Array innards = Napi::Array::New(env, 2);
    innards.Set(0U, Napi::Number::New(env, time.innards[0]));
    innards.Set(1U, Napi::Number::New(env, time.innards[1]));
    Napi::Object object = Napi::Object::New(env);
    object["innards"] = innards;
    object["epochMs"] = time.epochMs;
    return object;
}

}  // namespace

Napi::Array failuresOf(Napi::Env env, const engine::Session& session) {
    const std::vector<engine::DatabaseFailure> failures = session.failures();
    Napi::Array list = Napi::Array::New(env, failures.size());
    for (std::uint32_t i = 0; i < failures.size(); ++i) {
        Napi::Object entry = Napi::Object::New(env);
        entry["index"] = static_cast<double>(failures[i].index);
        entry["failure"] = toObject(env, failures[i].failure);
        list.Set(i, entry);
    }
    return list;
}

Napi::Array stuckOf(Napi::Env env, const engine::Session& session) {
    const auto& records = session.records();
    Napi::Array stuck = Napi::Array::New(env);
    for (std::size_t i = 0; i < records.size(); ++i)
        if (records[i].stuck()) stuck.Set(stuck.Length(), Napi::Number::New(env, static_cast<double>(i)));
    return stuck;
}

Napi::Object resultsOf(Napi::Env env, const engine::Session& session) {
    const auto& records = session.records();
    const std::vector<engine::PhaseSpan> spans = session.phases();
    const std::int64_t originNs = spans.empty() ? engine::nowNs() : spans.front().beginNs;
    Columns columns(env, records.size());
    Napi::Array pieces = Napi::Array::New(env);
    for (std::size_t i = 0; i < records.size(); ++i) {
        columns.fill(i, records[i], originNs);
        if (records[i].state != engine::State::captured || records[i].irregularPieces.empty()) continue;
        Napi::Uint32Array lengths = Napi::Uint32Array::New(env, records[i].irregularPieces.size());
        std::ranges::copy(records[i].irregularPieces, lengths.Data());
        Napi::Object entry = Napi::Object::New(env);
        entry["index"] = static_cast<double>(i);
        entry["lengths"] = lengths;
        pieces.Set(pieces.Length(), entry);
    }

    Napi::Object object = Napi::Object::New(env);
    object["count"] = static_cast<double>(records.size());
    columns.attach(object);
    object["originNs"] = Napi::BigInt::New(env, originNs);
    object["phases"] = phaseList(env, spans, originNs);
    object["afterLastStart"] = serverTime(env, session.afterLastStart());
    object["failures"] = failuresOf(env, session);
    object["irregularPieces"] = pieces;
    object["pieceBytes"] = engine::kPieceBytes;
    object["stuck"] = stuckOf(env, session);
    return object;
}

}  // namespace domino_vss::addon
