// What the kernels (kernels/*.ts, AssemblyScript) and what calls them agree on. Both import it, so it has constants only:
// numbers, and what follows from them. What a job's arguments are stands above its function in kernels/.

// ---- the first page of the shared memory: addresses in bytes; words that different threads write are a cache line apart

/** i64: number of the job in the high half, chunks not claimed yet in the low half. */
export const STATE = 64;
/** i32: chunks finished. */
export const DONE = 128;
/** i32: workers that wait for a job. */
export const SLEEPERS = 192;
/** i32: 1 when a worker failed; the length and the UTF-8 bytes of its message follow. */
export const FAILED = 256;
export const FAILURE_LENGTH = 260;
/** i32: what the job of this number is, and of how many chunks. */
export const JOB = 320;
export const CHUNKS = 324;
/** i32: 1 when workers shall return. */
export const QUIT = 384;
/** i32: bytes of the module with the kernels of training, if that was needed; they follow at TRAINING_MODULE. */
export const TRAINING_MODULE_LENGTH = 448;
/** i32 arguments of the running job. */
export const INTS = 512;
export const INT_CAPACITY = 192;
/** f32 arguments of the running job. */
export const FLOATS = INTS + 4 * INT_CAPACITY;
export const FLOAT_CAPACITY = 64;
export const FAILURE_MESSAGE = 4096;
export const FAILURE_CAPACITY = 4096;
/** Constants of the kernels: the same in every instance. scripts/build-wasm.mjs reads this number here. */
export const CONSTANTS = 16384;
/** Constants of the module that multiplies bytes. */
export const BYTE_CONSTANTS = 32768;
/** Constants of the module of training. */
export const TRAINING_CONSTANTS = 49152;
/** The binary of that module, for the workers. */
export const TRAINING_MODULE = 65536;
export const TRAINING_MODULE_CAPACITY = 65536;
/** Where tensors may begin. */
export const HEAP = 131072;
/** Number of the first job of training; those of the kernels that are always there are below. */
export const TRAINING_JOBS = 1024;

// ---- products. Sizes of panels and tiles are those of the kernels' registers; the kernels are written for these numbers.

/** Columns of a panel of a packed matrix. */
export const PANEL_WIDTH = 8;
/** Bytes from one row of a panel of floats to the next. */
export const PANEL_ROW = 4 * PANEL_WIDTH;
/** Rows of a tile of the left operand. */
export const TILE_ROWS = 4;
/**
 * Terms that are summed in one accumulator; the sums of such blocks are then added in order. Every kernel does it
 * this way, so that an element's bits do not depend on which one computed it. (A block of a panel of B is 8 KiB, and
 * stays in the first-level cache while the rows of A pass by.)
 */
export const BLOCK = 256;
/** Panels that a product of one row reads at once. */
export const STREAMS = 4;
/** Panels of each stream whose results a product of a few rows holds back, to write them together: 512 bytes of a row of C. */
export const FEW_ROWS_PANELS = 16;
/** Panels that a product of many rows is multiplied with together, where fused multiply-add leaves registers for it. */
export const WIDE_PANELS = 3;
/** What happens to sums besides being written: bits of a product's `mode`. */
export const MODE_ADD = 1;
export const MODE_GELU = 2;

// ---- packed matrices of int8: kernels/int8-layout.ts

/** Bytes of four rows of a panel. */
export const INT8_QUAD = 4 * PANEL_WIDTH;
/** Bytes of a group's scales (f32), and of its sums (i16) behind them. */
export const INT8_SCALES = 4 * PANEL_WIDTH;
export const INT8_SUMS = 2 * PANEL_WIDTH;
/** Rows of a panel that are worked on at once: as 16-bit words they are 12 KiB, and stay in the first-level cache. */
export const INT8_BLOCK_ROWS = 768;
/** Bytes of so many rows of a panel as 16-bit words. */
export const INT8_WIDENED = INT8_BLOCK_ROWS * PANEL_WIDTH * 2;
/** Panels whose totals wait in memory while the blocks of rows add up. */
export const INT8_PANELS = 8;
/** Bytes of a tile's totals, [4 rows][8 columns] f32, or of those of a row with four panels. */
export const INT8_TOTALS = TILE_ROWS * PANEL_WIDTH * 4;
/**
 * How integers are multiplied: as words of 16 bits, or as bytes, which the processor's instruction reads as unsigned or as
 * signed ones.
 */
export const INT8_WORDS = 0;
export const INT8_UNSIGNED_BYTES = 1;
export const INT8_SIGNED_BYTES = 2;

// ---- embedding: what a table is, strided floats or the transpose of a packed matrix

export const TABLE_STRIDED = 0;
export const TABLE_F32 = 1;
export const TABLE_BF16 = 2;
export const TABLE_INT8 = 3;

// ---- vectors of keys and values (reference/vectors.ts): how they are kept

export const VECTORS_F32 = 0;
export const VECTORS_BF16 = 1;
export const VECTORS_INT8 = 2;

// ---- attention

/** Keys whose values are summed together. */
export const KEY_BLOCK = 128;

// A task is a row of integers; these are the places of its fields, in bytes. Fields that end in ROW or HEAD are steps in bytes.
export const TASK_QUERY = 0;
export const TASK_QUERY_ROW = 4;
export const TASK_OUT = 8;
export const TASK_OUT_ROW = 12;
export const TASK_PAST_K = 16;
export const TASK_PAST_K_ROW = 20;
export const TASK_PAST_V = 24;
export const TASK_PAST_V_ROW = 28;
export const TASK_PAST_LENGTH = 32;
export const TASK_NEW_K = 36;
export const TASK_NEW_K_ROW = 40;
export const TASK_NEW_V = 44;
export const TASK_NEW_V_ROW = 48;
/** Keys that the first query sees, past ones included. */
export const TASK_VISIBLE = 52;
/** How many more each further query sees: 1 if causal, 0 if not. */
export const TASK_VISIBLE_STEP = 56;
export const TASK_QUERIES = 60;
export const TASK_HEADS = 64;
/** From one head to the next in the queries, past K, past V, new K and new V (the output's heads touch). */
export const TASK_QUERY_HEAD = 68;
export const TASK_PAST_K_HEAD = 72;
export const TASK_PAST_V_HEAD = 76;
export const TASK_NEW_K_HEAD = 80;
export const TASK_NEW_V_HEAD = 84;
export const TASK_BYTES = 88;

// ---- attention backward: a task is an address and steps in bytes for each of q, k, v, y, dy, dq, dk and dv, then its rows

/** Rows of queries that are worked on at once: 128 KiB of probabilities of a context of 1,024. */
export const BACKWARD_QUERIES = 32;
export const BACKWARD_OPERANDS = 8;
export const BACKWARD_TASK_LENGTH = 8 * BACKWARD_OPERANDS;
export const BACKWARD_TASK_BYTES = BACKWARD_TASK_LENGTH + 8;

// ---- elementwise: numbers of the functions of one job each

export const UNARY_NEG = 0;
export const UNARY_ABS = 1;
export const UNARY_SIGN = 2;
export const UNARY_SQUARE = 3;
export const UNARY_SQRT = 4;
export const UNARY_RSQRT = 5;
export const UNARY_RECIPROCAL = 6;
export const UNARY_EXP = 7;
export const UNARY_EXPM1 = 8;
export const UNARY_LOG = 9;
export const UNARY_LOG1P = 10;
export const UNARY_TANH = 11;
export const UNARY_SIGMOID = 12;
export const UNARY_ERF = 13;
export const UNARY_RELU = 14;
export const UNARY_GELU = 15;
export const UNARY_GELU_EXACT = 16;
export const UNARY_SILU = 17;
export const UNARY_QUICK_GELU = 18;
export const UNARY_FLOOR = 19;
export const UNARY_CEIL = 20;
export const UNARY_ROUND = 21;
export const UNARY_NEG_INT = 22;
export const UNARY_ABS_INT = 23;
export const UNARY_SQUARE_INT = 24;
export const UNARY_INT_TO_FLOAT = 25;
export const UNARY_FLOAT_TO_INT = 26;

export const BINARY_ADD = 0;
export const BINARY_SUB = 1;
export const BINARY_MUL = 2;
export const BINARY_DIV = 3;
export const BINARY_MAXIMUM = 4;
export const BINARY_MINIMUM = 5;
export const BINARY_ADD_INT = 6;
export const BINARY_SUB_INT = 7;
export const BINARY_MUL_INT = 8;
export const BINARY_MAXIMUM_INT = 9;
export const BINARY_MINIMUM_INT = 10;

export const COMPARE_EQ = 0;
export const COMPARE_NE = 1;
export const COMPARE_LT = 2;
export const COMPARE_LE = 3;
export const COMPARE_EQ_INT = 4;
export const COMPARE_NE_INT = 5;
export const COMPARE_LT_INT = 6;
export const COMPARE_LE_INT = 7;

export const BYTES_AND = 0;
export const BYTES_OR = 1;
export const BYTES_NE = 2;
export const BYTES_EQ = 3;
export const BYTES_NOT = 4;

export const CAST_BYTE_TO_FLOAT = 0;
export const CAST_BYTE_TO_INT = 1;
export const CAST_FLOAT_TO_BOOL = 2;
export const CAST_INT_TO_BOOL = 3;
export const CAST_BYTE_TO_BOOL = 4;
export const CAST_FLOAT_TO_BYTE = 5;
export const CAST_INT_TO_BYTE = 6;

// ---- reduce: numbers of the reductions

export const REDUCE_SUM = 0;
export const REDUCE_MEAN = 1;
export const REDUCE_PROD = 2;
export const REDUCE_MAX = 3;
export const REDUCE_MIN = 4;
export const REDUCE_ARG_MAX = 5;
export const REDUCE_ARG_MIN = 6;
export const REDUCE_LOG_SUM_EXP = 7;

// ---- squares: elements whose sum one chunk makes, so that an order of sums does not depend on the number of threads

export const SQUARES_AT_ONCE = 65536;
