import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import * as v from "valibot";
import {
  assertEvent,
  CATALOGUE,
  catalogueOf,
  define,
  event,
  parseEvent,
  schemaOf,
  type StoredEvent,
  upcast,
} from "../../events/mod.ts";
import { anyEvent, deepFreeze, roundTrip } from "../support/domain/mod.ts";

const ended = { type: "session.ended", v: 1, session: "a", reason: "logout" };

describe("parseEvent", () => {
  test("never throws, whatever it is given", () => {
    const almost = fc.record(
      { type: fc.oneof(fc.constantFrom(...CATALOGUE.keys(), "__proto__"), fc.anything()), v: fc.anything() },
      { requiredKeys: [] },
    );
    const shaped = fc
      .tuple(fc.constantFrom(...CATALOGUE.keys()), fc.dictionary(fc.string(), fc.anything()))
      .map(([type, fields]) => ({ ...fields, type, v: 1 }));
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue(), almost, shaped), (value) => {
        const parsed = parseEvent(value);
        assert.ok(["known", "unknown", "invalid"].includes(parsed.kind));
        assert.equal(parsed.stored, value);
      }),
      { numRuns: 3000 },
    );
  });

  test("never throws, even at a value that throws at every touch", () => {
    const trap = (): never => {
      throw new Error("do not touch");
    };
    const nasty = new Proxy({}, { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });
    assert.equal(parseEvent(nasty).kind, "invalid");
  });

  test("knows every event that a build of this version makes", () => {
    fc.assert(
      fc.property(anyEvent, (made) => {
        const parsed = parseEvent(roundTrip(made));
        assert.equal(parsed.kind, "known", parsed.kind === "invalid" ? `${made.type}: ${parsed.why}` : "");
      }),
      { numRuns: 1000 },
    );
  });

  test("takes a name it does not have, and a newer version, for unknown, and touches neither", () => {
    for (const stored of [
      { type: "future.happened", v: 1, session: 7 },
      { type: "session.ended", v: 2, session: 7 },
      { type: "constructor", v: 1 },
      { type: "__proto__", v: 1 },
    ]) {
      const bytes = JSON.stringify(stored);
      const parsed = parseEvent(deepFreeze(stored));
      assert.equal(parsed.kind, "unknown", bytes);
      assert.equal(parsed.stored, stored);
      assert.equal(JSON.stringify(parsed.stored), bytes);
    }
  });

  test("passes fields that it does not know through, to their bytes", () => {
    const text = `{"type":"session.ended","v":1,"session":"a","later":[1,{"x":null}],"reason":"logout","__proto__":{"y":1}}`;
    const parsed = parseEvent(deepFreeze(JSON.parse(text)));
    assert.equal(parsed.kind, "known");
    assert.equal(JSON.stringify(parsed.stored), text);
    assert.equal(parsed.kind === "known" && JSON.stringify(parsed.event), text);
  });

  const invalid: Readonly<Record<string, [unknown, string]>> = {
    "no object": ["session.ended", "not an event: no type and version"],
    "no type": [{ v: 1 }, "not an event: no type and version"],
    "no version": [{ type: "session.ended" }, "not an event: no type and version"],
    "a version of nought": [{ ...ended, v: 0 }, "not an event: no type and version"],
    "half a version": [{ ...ended, v: 1.5 }, "not an event: no type and version"],
    "a field that is missing": [{ type: "session.ended", v: 1, session: "a" }, "reason: Invalid key"],
    "a field of another type": [{ ...ended, session: 7 }, "session: Invalid type"],
    "an empty id": [{ ...ended, session: "" }, "session: Invalid length"],
    "a fault deep inside": [
      {
        type: "reservation.released",
        v: 1,
        session: "a",
        tree: "",
        targets: [{ kind: "dir" }],
        reason: "ended",
      },
      "targets.0.path: Invalid key",
    ],
  };
  for (const [what, [stored, why]] of Object.entries(invalid)) {
    test(`says of ${what} what is wrong with it`, () => {
      const parsed = parseEvent(stored);
      assert.equal(parsed.kind, "invalid");
      assert.ok(parsed.kind === "invalid" && parsed.why.startsWith(why), JSON.stringify(parsed));
    });
  }
});

describe("an event with three versions", () => {
  const twice: number[] = [];
  const parcel = define(
    "parcel.sent",
    "For this test.",
    () => ({ to: v.array(v.string()), grams: v.number() }),
    [
      {
        fields: () => ({ to: v.string() }),
        upcast: ({ v: version, ...stored }) => {
          twice.push(version);
          return { ...stored, kilos: 0 };
        },
      },
      {
        fields: () => ({ to: v.string(), kilos: v.number() }),
        upcast: ({ v: version, kilos, to, ...stored }) => {
          twice.push(version);
          return { ...stored, to: [to], grams: (kilos as number) * 1000 };
        },
      },
    ],
  );
  const catalogue = catalogueOf([parcel]);
  const parsed = (stored: StoredEvent) => parseEvent(deepFreeze(stored), catalogue);

  test("is at version three", () => assert.equal(parcel.version, 3));

  test("is brought from each version to the newest, by each step between, once", () => {
    const now = { type: "parcel.sent", v: 3, to: ["me"], grams: 2000 };
    const table: [StoredEvent, unknown, number[]][] = [
      [{ type: "parcel.sent", v: 1, to: "me" }, { ...now, grams: 0 }, [1, 2]],
      [{ type: "parcel.sent", v: 2, to: "me", kilos: 2 }, now, [2]],
      [now, now, []],
    ];
    for (const [stored, expected, steps] of table) {
      twice.length = 0;
      const result = parsed(stored);
      assert.deepEqual(result.kind === "known" && result.event, expected);
      assert.deepEqual(twice, steps);
      assert.equal(result.stored, stored, "what is stored is not changed");
      assert.deepEqual(upcast(stored, catalogue), expected);
    }
  });

  test("is checked against the version it was stored at", () => {
    assert.equal(parsed({ type: "parcel.sent", v: 1, to: ["me"] }).kind, "invalid");
    assert.equal(parsed({ type: "parcel.sent", v: 2, to: "me" }).kind, "invalid");
    assert.equal(parsed({ type: "parcel.sent", v: 3, to: "me", grams: 1 }).kind, "invalid");
  });

  test("is unknown at version four", () => {
    const stored = { type: "parcel.sent", v: 4, to: 1 };
    assert.equal(parsed(stored).kind, "unknown");
    assert.equal(upcast(stored, catalogue), undefined);
  });

  test("keeps fields of a newer writer through every step", () => {
    const result = parsed({ type: "parcel.sent", v: 1, to: "me", later: true });
    assert.equal(result.kind === "known" && (result.event as unknown as { later: boolean }).later, true);
  });

  test("is invalid, and nothing throws, when a step breaks", () => {
    const broken = define("parcel.lost", "For this test.", () => ({}), [
      {
        fields: () => ({}),
        upcast: () => {
          throw new Error("no way up");
        },
      },
    ]);
    const result = parseEvent({ type: "parcel.lost", v: 1 }, catalogueOf([broken]));
    assert.deepEqual(result.kind === "invalid" && result.why, "no way up");
  });

  test("has no schema of a version it never had", () => {
    for (const version of [0, 4, -1]) assert.throws(() => schemaOf(parcel, version), RangeError);
  });

  test("stands in a catalogue once", () => {
    assert.throws(() => catalogueOf([parcel, parcel]), /Two events are named parcel\.sent/);
  });
});

describe("event", () => {
  test("makes an event at its current version that is JSON: what is undefined is left out", () => {
    const made = event("session.started", {
      session: "a",
      kind: "claude-code",
      tree: "",
      cwd: "/",
      model: undefined,
    });
    assert.equal(
      JSON.stringify(made),
      `{"type":"session.started","v":1,"session":"a","kind":"claude-code","tree":"","cwd":"/"}`,
    );
    assert.ok(!("model" in made));
  });

  test("is of the type it was asked for, also from the fields of another", () => {
    const made = event("session.cleared", { ...ended, v: 9 } as never);
    assert.deepEqual([made.type, made.v], ["session.cleared", 1]);
  });
});

describe("assertEvent", () => {
  test("lets through what the catalogue knows", () => {
    fc.assert(fc.property(anyEvent, (made) => assertEvent(made as unknown as StoredEvent)));
  });

  test("names the event and the field that is wrong", () => {
    assert.throws(() => assertEvent({ type: "session.ended", v: 1, session: "a" }), {
      name: "TypeError",
      message: /^Cannot append session\.ended: reason: /,
    });
  });

  test("lets nothing be written that this build does not know, nor a version it does not have", () => {
    for (const stored of [
      { type: "future.happened", v: 1 },
      { ...ended, v: 2 },
    ])
      assert.throws(() => assertEvent(stored), /Cannot append .*: not in the catalogue/);
  });
});

describe("the catalogue", () => {
  test("names events noun.past-tense, and says of each what it is", () => {
    for (const { type, doc } of CATALOGUE.values()) {
      assert.match(type, /^[a-z]+\.[a-z]+$/);
      assert.match(doc, /\.$/, `${type} has no sentence`);
    }
  });

  test("has an upcast for each version but the newest", () => {
    for (const { type, version, past } of CATALOGUE.values()) assert.equal(past.length, version - 1, type);
  });
});
