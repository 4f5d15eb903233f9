/** Reads protobuf without a schema: enough for what the OTLP receiver of the tests is sent. */

/** A field's value as it stands on the wire: a number, or bytes that are a text, a message or packed numbers. */
export type WireValue = bigint | Uint8Array;

export type Fields = ReadonlyMap<number, readonly WireValue[]>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** @throws RangeError when the bytes are not a protobuf message */
export function readFields(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new Map<number, WireValue[]>();
  let at = 0;

  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const value = (wireType: number): WireValue => {
    switch (wireType) {
      case VARINT:
        return varint();
      case FIXED64:
        at += 8;
        return view.getBigUint64(at - 8, true);
      case FIXED32:
        at += 4;
        return BigInt(view.getUint32(at - 4, true));
      case BYTES: {
        const length = Number(varint());
        at += length;
        return bytes.subarray(at - length, at);
      }
      default:
        throw new RangeError(`protobuf wire type ${wireType} is not known`);
    }
  };

  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    const values = fields.get(number) ?? [];
    values.push(value(tag & 7));
    fields.set(number, values);
  }
  return fields;
}

/** The messages in a repeated field. */
export function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => readFields(bytesOf(value)));
}

export function text(fields: Fields, number: number): string {
  return Buffer.from(bytesOf(last(fields, number) ?? new Uint8Array())).toString("utf8");
}

export function hex(fields: Fields, number: number): string {
  return Buffer.from(bytesOf(last(fields, number) ?? new Uint8Array())).toString("hex");
}

export function integer(fields: Fields, number: number): bigint {
  const value = last(fields, number);
  return typeof value === "bigint" ? value : 0n;
}

/** A `double`, which stands on the wire as 64 fixed bits; null when the field is absent. */
export function double(fields: Fields, number: number): number | null {
  const value = last(fields, number);
  if (typeof value !== "bigint") return null;
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, value);
  return bits.getFloat64(0);
}

export function last(fields: Fields, number: number): WireValue | undefined {
  return fields.get(number)?.at(-1);
}

function bytesOf(value: WireValue): Uint8Array {
  if (typeof value === "bigint") throw new RangeError("a number stands where bytes were expected");
  return value;
}
