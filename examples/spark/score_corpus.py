"""Scores a corpus with GPT-2 on Apache Spark, one `gpt2 score` for each partition.

    spark-submit score_corpus.py corpus.jsonl scores --fields logLikelihood,perplexity
    spark-submit score_corpus.py corpus.parquet scores.parquet --jobs 4

In: JSON Lines (files, folders and patterns, compressed or not) or Parquet, with a column `text` or `ids`. Out: a folder of JSON
Lines, or of Parquet if the input is Parquet. All other columns are passed through.

Each line is scored exactly once in what is committed: partitions are pieces of the input files, without a shuffle between, so
that a task that is run again reads the same lines; its output is renamed into place when it has ended well, and that of a task
whose executor was lost is thrown away. The output is complete when it has a file `_SUCCESS`.
"""

import argparse
import os
import shlex

from pyspark.sql import SparkSession
from pyspark.sql.types import (
    ArrayType, DoubleType, IntegerType, StringType, StructField, StructType,
)

ALTERNATIVE = StructType(
    [StructField("id", IntegerType()), StructField("token", StringType()), StructField("logprob", DoubleType())]
)
FIELDS = {
    "ids": ArrayType(IntegerType()),
    "tokens": ArrayType(StringType()),
    "logprobs": ArrayType(DoubleType()),
    "logLikelihood": DoubleType(),
    "perplexity": DoubleType(),
    "bitsPerByte": DoubleType(),
    "alternatives": ArrayType(ArrayType(ALTERNATIVE)),
    "text": StringType(),
}


def main():
    parser = argparse.ArgumentParser(description="Scores a corpus with GPT-2 on Apache Spark.")
    parser.add_argument("input", help="JSON Lines or, if its name ends in .parquet, Parquet")
    parser.add_argument("output", help="the folder to make")
    parser.add_argument("--fields", default="logLikelihood,perplexity,bitsPerByte", help="what is written of a score")
    parser.add_argument("--top", type=int, help="so many alternatives, for the field of that name")
    parser.add_argument("--model", help="a folder that all machines have, or a name on the Hugging Face Hub")
    parser.add_argument("--dtype", help="f32, bf16 or int8")
    parser.add_argument("--jobs", type=int, default=1, help="models in a task; as many as spark.task.cpus")
    parser.add_argument("--partitions", type=int, help="at least so many tasks; of Parquet no more than it has row groups")
    parser.add_argument("--gpt2", default="gpt2", help="the command, on the machines of the executors")
    args = parser.parse_args()
    fields = args.fields.split(",")
    unknown = [field for field in fields if field not in FIELDS]
    if unknown:
        parser.error(f"--fields: expected some of {','.join(FIELDS)}; got {','.join(unknown)}")

    builder = SparkSession.builder.appName("gpt2 score")
    # Tasks move what they wrote into the job's folder, and the job, once all have, into its place.
    builder = builder.config("spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", "1")
    spark = builder.getOrCreate()
    if args.input.endswith(".parquet"):
        if args.partitions is not None:
            spark.conf.set("spark.sql.files.minPartitionNum", str(args.partitions))
        corpus = spark.read.parquet(args.input)
        schema = schema_of_scores(corpus.schema, fields)
        scores = corpus.toJSON().pipe(command_line(args), env=dict(os.environ), checkCode=True)
        spark.read.schema(schema).json(scores).write.parquet(args.output)
    else:
        lines = spark.sparkContext.textFile(args.input, args.partitions)
        # checkCode: a task whose `gpt2 score` fails has failed.
        lines.pipe(command_line(args), env=dict(os.environ), checkCode=True).saveAsTextFile(args.output)
    spark.stop()


def command_line(args):
    words = [*shlex.split(args.gpt2), "score", "--jobs", str(args.jobs), "--fields", args.fields]
    if args.jobs == 1:
        words += ["--threads", "1"]
    for option in ("model", "dtype", "top"):
        value = getattr(args, option)
        if value is not None:
            words += [f"--{option}", str(value)]
    return shlex.join(words)


def schema_of_scores(schema, fields):
    """Results are read with a schema: to guess it, Spark would have to compute them all first."""
    passed = [field for field in schema.fields if field.name not in ("text", "ids")]
    return StructType(passed + [StructField(name, FIELDS[name]) for name in fields])


if __name__ == "__main__":
    main()
