import { moveTestClock } from "@contingent/contracts/http/test-clock";
import { moveClock } from "@contingent/db/customer-clock";
import { noCustomer } from "../../customers/find.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";

export const moveTestClockRoute = route(moveTestClock, async (context, { params: { id }, body }) => {
  if (!context.movesClocks) {
    const message = "This deployment is run for real customers, whose time cannot be moved. Try it in development.";
    throw new ApiError("test_clock_disabled", message);
  }
  const move = "now" in body ? { toMs: Date.parse(body.now) } : { byMs: body.advance_ms };
  const param = "now" in body ? "/now" : "/advance_ms";
  const moved = await moveClock(context.pool, id, move);
  switch (moved.kind) {
    case "moved": {
      const { nowMs, offsetMs } = moved;
      const clock = { object: "test_clock", customer_id: id, now: isoTime(nowMs), offset_ms: Math.round(offsetMs) };
      return { status: 200, body: clock };
    }
    case "no_customer":
      throw noCustomer(id);
    case "backwards": {
      const message = `${param}: is before ${isoTime(moved.nowMs)}, which the customer's clock says already. It never goes back: give a later time.`;
      throw new ApiError("invalid_field", message, { param });
    }
    case "too_far": {
      const message = `${param}: would put the customer's clock more than ${moved.offsetMaxMs} ms ahead of the real one. Move it less far.`;
      throw new ApiError("invalid_field", message, { param });
    }
  }
});
